// An auction's room: the state comes by a live stream, or is asked for every second where there is none. The page works
// without this file, by reloading. Times count by the hub's clock, which every state brings along.
(() => {
  "use strict";
  const $ = (css, from = document) => from.querySelector(css);
  const $$ = (css, from = document) => [...from.querySelectorAll(css)];

  // The form of a new auction: fields that its kind has no use for are out of the way.
  const kind = $("[data-kind]");
  if (kind) {
    const formats = { dutch: "clock", dutch_reverse: "clock", vickrey: "sealed", vickrey_reverse: "sealed" };
    const sort = () => {
      const format = formats[kind.value] || "open";
      for (const each of $$("[class*='only-'], [class*='not-']", kind.form)) {
        const only = [...each.classList].find((name) => name.startsWith("only-"));
        const not = [...each.classList].find((name) => name.startsWith("not-"));
        each.hidden = Boolean((only && only !== `only-${format}`) || (not && not === `not-${format}`));
      }
    };
    kind.addEventListener("change", sort);
    sort();
  }

  const room = $("[data-auction]");
  if (!room) return;
  const words = JSON.parse(room.dataset.words);
  const names = JSON.parse(room.dataset.names);
  const me = Number(room.dataset.me) || null;
  const { currency, format, display, url } = room.dataset;
  const lang = document.documentElement.lang;
  let state = JSON.parse(room.dataset.state);

  // --- words and values ---
  const say = (name, value) => words[name].replace("%s", value);
  const amount = (text) => {
    if (text === null || text === undefined) return "–";
    const [whole, fraction = ""] = text.split(".");
    return `${whole.replace(/\B(?=(\d{3})+$)/g, ",")}.${fraction.padEnd(2, "0")}`;
  };
  const money = (text) => (text === null ? "–" : `${currency} ${amount(text)}`);
  const clock = new Intl.DateTimeFormat(lang === "en" ? "en-GB" : lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23", timeZone: room.dataset.zone });
  const left = (ms) => {
    const all = Math.max(0, Math.ceil(ms / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const days = Math.floor(all / 86400), hours = Math.floor(all / 3600) % 24;
    const rest = `${two(Math.floor(all / 60) % 60)}:${two(all % 60)}`;
    return `${days ? `${say("days", days)} ` : ""}${days || hours ? `${two(hours)}:` : ""}${rest}`;
  };
  const put = (el, text) => { if (el && el.textContent !== text) el.textContent = text; };
  const isOver = (status) => !["running", "paused", "scheduled"].includes(status);
  const show = (el, yes) => { if (el && el.hidden === yes) el.hidden = !yes; };

  // --- the hub's time: of several sightings the one that came fastest is nearest ---
  let ahead = null;
  const sight = (at) => {
    const seen = at - Date.now();
    if (ahead === null || seen > ahead || Math.abs(seen - ahead) > 5000) ahead = seen;
  };
  const now = () => Date.now() + (ahead ?? 0);

  // --- what is read out: the newest news, and no more than one in three seconds ---
  const speaker = $("[data-announce]");
  let news = null, speaking = null;
  const announce = (text) => {
    news = text;
    if (speaking) return;
    speaker.textContent = news; news = null;
    speaking = setTimeout(() => { speaking = null; if (news) announce(news); }, 3000);
  };

  // --- showing a state ---
  const pill = (status) => $(`[data-of="${status}"]`, $("[data-pills]").content)?.firstElementChild.cloneNode(true);
  const setPill = (place, status) => {
    if (!place || place.dataset.shows === status) return;
    place.dataset.shows = status;
    const made = pill(status);
    if (made) place.replaceChildren(made);
  };
  const who = (alias) => (alias === me ? words.you : names[alias] || say("bidder", alias));
  const showMoves = (card, lot) => {
    const body = $("[data-moves]", card);
    if (!body || !lot.moves.length) return;
    body.replaceChildren(...[...lot.moves].reverse().map(([at, alias, value, automatic]) => {
      const row = document.createElement("tr");
      if (alias === me) row.className = "own";
      for (const [text, name] of [[clock.format(at), "num"], [who(alias), ""], [amount(value), "n"], [automatic ? words.automatic : words.given, ""]]) {
        const cell = document.createElement("td");
        const value = document.createElement("bdi");
        cell.className = name;
        value.textContent = text;
        cell.append(value);
        row.append(cell);
      }
      return row;
    }));
  };
  const showChart = (card, [points, last, high, low]) => {
    const svg = $("[data-chart]", card);
    if (!svg) return;
    show(svg, points !== "");
    $("[data-points]", svg).setAttribute("points", points);
    $("[data-last]", svg).setAttribute("cx", last ? last[0] : -9);
    $("[data-last]", svg).setAttribute("cy", last ? last[1] : -9);
    put($("[data-high]", svg), high === null ? "" : amount(high));
    put($("[data-low]", svg), low === null || low === high ? "" : amount(low));
  };
  const showBox = (card, lot, was) => {
    const box = $("[data-box]", card);
    if (!box) return;
    show(box, lot.status === "running");
    const field = $("[data-amount]", box);
    // What was typed stays; what was only proposed goes along.
    if (field && (format === "clock" || field.value === "" || field.value === (was?.next ?? ""))) {
      if (document.activeElement !== field || field.value !== lot.next) field.value = lot.next ?? "";
    }
    put($("[data-accept]", box), say("accept", money(lot.next)));
    if (format === "open") {
      put($("[data-valid]", box), say("valid", money(lot.next)));
      show($("[data-needs-amount]", box), !(lot.leads && display === "price"));
    }
  };
  const showLot = (lot, was) => {
    const card = $(`[data-lot="${lot.n}"]`);
    if (!card) return;
    setPill($("[data-status]", card), lot.status);
    if (format !== "sealed" || lot.price !== null) put($("[data-price]", card), money(lot.price));
    put($("[data-rank]", card), lot.rank === null ? "–" : String(lot.rank));
    show($('[data-pos="leads"]', card), lot.leads);
    show($('[data-pos="outbid"]', card), !lot.leads && lot.own !== null && format === "open");
    show($('[data-met="yes"]', card), lot.met === true);
    show($('[data-met="no"]', card), lot.met === false);
    show($("[data-leader-row]", card), lot.leader !== null && !lot.leads);
    put($("[data-leader]", card), lot.leader === null ? "" : who(lot.leader));
    show($("[data-own-row]", card), lot.own !== null);
    put($("[data-own]", card), amount(lot.own));
    show($("[data-limit-row]", card), lot.limit !== null);
    put($("[data-own-limit]", card), amount(lot.limit));
    put($("[data-ends-at]", card), clock.format(lot.ends));
    put($("[data-ends-label]", card), isOver(lot.status) ? words.ended_at : words.ends_at);
    show($("[data-ends-row]", card), lot.status !== "cancelled");
    show($("[data-steps-row]", card), lot.steps !== null);
    if (!was || JSON.stringify(was.moves) !== JSON.stringify(lot.moves)) showMoves(card, lot);
    showChart(card, lot.chart);
    showBox(card, lot, was);
    if (was && was.price !== lot.price && lot.price !== null) { const big = $(".big", card); big.classList.remove("moved"); void big.offsetWidth; big.classList.add("moved"); }
  };
  const tell = (lot, was) => {
    const many = state.lots.length > 1 ? `${lot.n}: ` : "";
    const price = display === "rank" && format === "open" && me ? (lot.rank === null ? "" : say("rank", lot.rank)) : lot.price === null ? "" : say("price", money(lot.price));
    if (was.status !== lot.status) {
      const over = isOver(lot.status);
      announce(`${many}${over ? words.lot_over : lot.status === "paused" ? words.paused : lot.status === "running" && was.status === "scheduled" ? words.begins : words[`status_${lot.status}`]}. ${price}`);
    } else if (was.leads && !lot.leads) announce(`${many}${words.outbid}. ${price}`);
    else if (!was.leads && lot.leads) announce(`${many}${words.leads}. ${price}`);
    else if (was.ends < lot.ends) announce(`${many}${say("extended", clock.format(lot.ends))}. ${price}`);
    else if (was.price !== lot.price || was.rank !== lot.rank) announce(`${many}${price}`);
  };
  const take = (next) => {
    if (next.at !== undefined) sight(next.at);
    if (next.v < state.v) return;
    const before = state;
    state = next;
    setPill($("[data-overall]"), state.status);
    show($("[data-over]"), isOver(state.status));
    if (before.acts !== state.acts) { show($("[data-reload]"), true); put($("[data-news]"), words.new); announce(words.new); }
    for (const lot of state.lots) {
      const was = before === next ? null : before.lots.find((each) => each.n === lot.n);
      showLot(lot, was);
      if (was) tell(lot, was);
    }
    tick();
  };
  const tick = () => {
    for (const lot of state.lots) {
      const card = $(`[data-lot="${lot.n}"]`);
      const waits = lot.status === "scheduled";
      const runs = lot.status === "running";
      put($("[data-left]", card), waits ? left(state.starts - now()) : runs ? left(lot.ends - now()) : "–");
      $("[data-left]", card)?.classList.toggle("soon", runs && lot.ends - now() < 60000);
      if (lot.steps !== null) put($("[data-steps]", card), left(lot.steps - now()));
    }
  };
  setInterval(tick, 250);

  // --- where the state comes from ---
  const POLL_MS = 1000, HIDDEN_MS = 10000, SILENT_MS = 15000, AGAIN_MS = 20000;
  let stream = null, heard = 0, mark = null, polling = null, tried = 0;
  const linked = (how) => { for (const each of $$("[data-link]")) show(each, each.dataset.link === how); };
  const ask = async () => {
    // The whole answer names a stream; where none is open, one is tried again now and then.
    const due = !stream && Date.now() - tried > AGAIN_MS;
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json", ...(mark && !due ? { "If-None-Match": mark } : {}) }, cache: "no-store", credentials: "same-origin" });
      if (answer.status === 304) { sight(Number(answer.headers.get("X-Hub-Time"))); return true; }
      if (!answer.ok) return false;
      mark = answer.headers.get("ETag");
      const next = await answer.json();
      take(next);
      if (due && next.stream && !stream) listen(next.stream);
      return true;
    } catch { return false; }
  };
  const poll = async () => {
    if (polling) return;
    polling = true;
    while (!stream || stream.readyState !== EventSource.OPEN) {
      const well = await ask();
      if (!stream || stream.readyState !== EventSource.OPEN) linked(well ? "asking" : "lost");
      await new Promise((done) => setTimeout(done, document.hidden ? HIDDEN_MS : well ? POLL_MS : 2 * POLL_MS));
    }
    polling = null;
  };
  const hangUp = () => { stream?.close(); stream = null; mark = null; poll(); };
  const listen = (address) => {
    tried = Date.now();
    stream = new EventSource(address);
    const hear = (act) => (event) => { heard = Date.now(); tried = 0; linked("live"); act(event); };
    stream.addEventListener("open", hear(() => {}));
    stream.addEventListener("state", hear((event) => take(JSON.parse(event.data))));
    stream.addEventListener("beat", hear((event) => sight(Number(event.data))));
    // A ticket is good for one beginning: a stream that ends is begun anew with a fresh one.
    stream.addEventListener("error", hangUp);
    heard = Date.now();
  };
  setInterval(() => { if (stream && Date.now() - heard > SILENT_MS) hangUp(); }, 1000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
  show($("[data-reload]"), false);
  take(state);
  poll();

  // --- bids ---
  const said = (form, kind, text) => {
    const place = $("[data-said]", form);
    place.className = `bid-said said-${kind}`;
    place.setAttribute("role", kind === "ok" ? "status" : "alert");
    place.textContent = text;
  };
  for (const form of $$(".bid-form")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (form.dataset.busy) return;
      form.dataset.busy = "1";
      for (const button of $$("button", form)) button.disabled = true;
      try {
        const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" }, credentials: "same-origin" });
        if (!answer.ok) throw new Error(String(answer.status));
        const { kind, text, form_id, state: next } = await answer.json();
        if (kind === "page") { form.submit(); return; } // others must approve it: the page has the way to ask them
        said(form, kind, text);
        form.elements.form_id.value = form_id;
        const sure = $("[data-ask]", form);
        if (sure) {
          show(sure, kind === "ask");
          $("input", sure).checked = false;
          $("input", sure).value = form.elements.amount.value;
          if (kind === "ask") $("input", sure).focus();
        }
        if (kind === "ok") {
          if (form.elements.limit) form.elements.limit.value = "";
          if (format !== "clock") form.elements.amount.value = "";
        }
        take(next);
        if (kind === "ok" && format === "open" && form.elements.amount) form.elements.amount.value = next.lots.find((each) => each.n === Number(form.elements.lot.value))?.next ?? "";
      } catch { said(form, "bad", words.failed); }
      finally { delete form.dataset.busy; for (const button of $$("button", form)) button.disabled = false; }
    }, true);
  }
})();
