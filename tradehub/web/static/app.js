// Everything that a page does by itself. Pages work without it, apart from the chooser and added rows.
(() => {
  "use strict";
  const $ = (css, from = document) => from.querySelector(css);
  const $$ = (css, from = document) => [...from.querySelectorAll(css)];
  const typing = (el) => el.closest("input, textarea, select, [contenteditable]") !== null;

  // The server shows times in this zone where the reader chose none.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) document.cookie = `tz=${encodeURIComponent(zone)}; path=/; max-age=31536000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;

  // Keys: / finds, ? lists the keys, j k move, Enter opens, n writes an inquiry, g then a letter goes.
  let jumping = 0;
  const rows = () => $$("[data-row]").filter((row) => row.offsetParent !== null);
  const way = (row) => (row.matches("a[href]") ? row : $("a[href]", row));
  const move = (by) => {
    const all = rows();
    if (!all.length) return;
    const at = all.findIndex((row) => row.contains(document.activeElement));
    const next = all[Math.max(0, Math.min(all.length - 1, at === -1 ? (by > 0 ? 0 : all.length - 1) : at + by))];
    way(next)?.focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const keys = {
    "/": () => { const find = $("[data-find]"); find?.focus(); find?.select(); },
    "?": () => $("#keys")?.showModal(),
    j: () => move(1),
    k: () => move(-1),
    g: () => { jumping = Date.now(); },
    n: () => { const to = $("[data-new]") || $("[data-jump-new]"); if (to) to.click(); },
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.key === "Escape") { for (const menu of $$("[data-menu][open]")) menu.open = false; return; }
    if (typing(event.target)) return;
    if (Date.now() - jumping < 1500 && event.key !== "g") {
      jumping = 0;
      const to = $(`[data-jump="${CSS.escape(event.key)}"]`);
      if (to) { event.preventDefault(); to.click(); return; }
    }
    const act = keys[event.key];
    if (act) { event.preventDefault(); act(); }
  });

  document.addEventListener("click", (event) => {
    const el = event.target;
    for (const menu of $$("[data-menu][open]")) if (!menu.contains(el)) menu.open = false;

    const opener = el.closest("[data-opens]");
    if (opener) { document.getElementById(opener.dataset.opens)?.showModal(); for (const menu of $$("[data-menu][open]")) menu.open = false; return; }
    const closer = el.closest("[data-closes]");
    if (closer) { closer.closest("dialog")?.close(); return; }

    const adder = el.closest("[data-add-row]");
    if (adder) { addRow(adder); return; }
    const remover = el.closest("[data-remove-row]");
    if (remover) { event.preventDefault(); removeRow(remover); return; }
    const copier = el.closest("[data-copy]");
    if (copier) { copy(copier); return; }

    // A click anywhere in a row opens it, unless something else in the row was meant.
    const row = el.closest("tr[data-row], li[data-row]");
    if (row && !el.closest("a, button, input, select, textarea, label, summary") && !String(getSelection())) way(row)?.click();
  });

  // <button data-add-row="lines"> puts a copy of <template id="lines-row"> at the end of #lines.
  function addRow(button) {
    const list = document.getElementById(button.dataset.addRow);
    list.append(document.getElementById(`${button.dataset.addRow}-row`).content.cloneNode(true));
    renumber(list);
    stack();
    $$("input:not([type=hidden]), select, textarea", list.lastElementChild)[0]?.focus();
    window.htmx?.process(list.lastElementChild);
  }
  function removeRow(button) {
    const row = button.closest("[data-line]") || button.closest("tr");
    const list = row.parentElement;
    if (list.children.length < 2 && !list.hasAttribute("data-may-be-empty")) { for (const input of $$("input, textarea", row)) input.value = ""; return; }
    row.remove();
    renumber(list);
    list.dispatchEvent(new Event("input", { bubbles: true }));
  }
  function renumber(list) { $$("[data-number]", list).forEach((el, i) => { el.textContent = i + 1; }); }

  async function copy(button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.setAttribute("data-copied", "");
    setTimeout(() => button.removeAttribute("data-copied"), 1500);
  }

  // <select data-submits> sends its form when it is changed.
  document.addEventListener("change", (event) => { if (event.target.matches("[data-submits]")) event.target.form.requestSubmit(); });

  // What was refused begins at the first field that is wrong, or at the word that says why.
  const wrong = $$("main [aria-invalid=true]").find((el) => el.offsetParent !== null) || (document.documentElement.dataset.posted !== undefined && $("main .note-bad"));
  if (wrong) {
    if (wrong.matches(".note")) wrong.tabIndex = -1;
    wrong.focus();
  }

  // <textarea data-selects="12,20"> opens with that much of its text selected, in view.
  for (const area of $$("textarea[data-selects]")) {
    const [from, to] = area.dataset.selects.split(",").map(Number);
    area.focus();
    area.setSelectionRange(from, to);
    area.scrollTop = Math.max(0, area.value.slice(0, from).split("\n").length - 6) * (area.scrollHeight / Math.max(1, area.value.split("\n").length));
    area.scrollLeft = 0;
  }

  // A form is sent once: its buttons rest until the answer comes (the server keeps it once as well).
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post") return;
    if (form.dataset.sent) { event.preventDefault(); return; }
    if (looking.size) { event.preventDefault(); Promise.allSettled([...looking]).then(() => form.requestSubmit(event.submitter)); return; }
    form.dataset.sent = "1";
    // A page that was the answer to a form cannot be asked for again: coming back to it leads to where one comes by a link.
    const posted = document.documentElement.dataset.posted;
    if (posted) history.replaceState(null, "", posted);
    setTimeout(() => { delete form.dataset.sent; }, 8000);
  });
  addEventListener("pageshow", () => { for (const form of $$("form[data-sent]")) delete form.dataset.sent; });

  // On a phone a table that is wider than the screen becomes a list of records, each value beside the name of its column.
  // What is compared across stays a table, and so does what changes while it is looked at.
  const phone = matchMedia("(max-width: 36rem)");
  const heads = (table) => {
    const rows = $$("thead tr", table);
    return rows.length === 1 ? [...rows[0].cells].flatMap((cell) => Array(cell.colSpan).fill($(".visually-hidden", cell) ? "" : cell.textContent.trim())) : null;
  };
  const label = (table) => {
    const names = heads(table);
    for (const row of $$("tbody tr, tfoot tr", table)) {
      let at = 0;
      for (const cell of row.cells) {
        if (cell.colSpan === 1 && names[at] && row.parentElement.tagName === "TBODY") cell.dataset.label = names[at];
        cell.toggleAttribute("data-blank", !cell.textContent.trim() && !$("input, select, textarea, button, svg, img", cell));
        cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
        at += cell.colSpan;
      }
      row.setAttribute("role", "row");
    }
    for (const part of $$("thead, tbody, tfoot", table)) part.setAttribute("role", "rowgroup");
    table.setAttribute("role", "table");
  };
  const stack = () => {
    for (const table of $$(".scroll > .sheet:not(.compare, .leaves, .bids)")) {
      table.classList.remove("stacked");
      if (!phone.matches || table.scrollWidth <= table.parentElement.clientWidth || !heads(table)) continue;
      label(table);
      table.classList.add("stacked");
    }
  };
  stack();
  phone.addEventListener("change", stack);
  document.addEventListener("toggle", stack, true);
  document.addEventListener("htmx:afterSettle", stack);

  // Chooser: typing asks, arrows move, Enter picks, Backspace takes the last one back.
  const waits = new WeakMap();
  const parts = (el) => { const box = el.closest("[data-chooser]"); return { box, input: $("[role=combobox]", box), list: $("[role=listbox]", box), picked: $("[data-picked]", box) }; };
  const options = (list) => $$("[role=option]:not([aria-disabled])", list);
  const close = ({ input, list }) => { list.hidden = true; input.setAttribute("aria-expanded", "false"); input.removeAttribute("aria-activedescendant"); };
  const mark = ({ input, list }, option) => {
    for (const each of options(list)) each.setAttribute("aria-selected", String(each === option));
    if (option) { option.id = `${list.id}-${options(list).indexOf(option)}`; input.setAttribute("aria-activedescendant", option.id); option.scrollIntoView({ block: "nearest" }); }
  };
  // What has been asked for by Enter and not yet been answered: a form waits for it.
  const looking = new Set();
  const find = async ({ input }, words) => {
    const url = new URL(input.dataset.url, location.href);
    url.searchParams.set("q", words);
    const answer = await fetch(url, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (!answer.ok) return null;
    const found = document.createElement("template");
    found.innerHTML = await answer.text();
    return found.content;
  };
  const show = (chooser, words, found) => {
    const { input, list, picked } = chooser;
    const have = new Set($$("input", picked).map((each) => each.value));
    list.replaceChildren(found);
    for (const each of options(list)) if (have.has(each.dataset.value)) each.remove();
    list.dataset.words = words;
    list.hidden = !list.children.length;
    input.setAttribute("aria-expanded", String(!list.hidden));
    mark(chooser, options(list)[0]);
  };
  const ask = async (chooser) => {
    const { input } = chooser;
    const words = input.value.trim();
    const found = await find(chooser, words);
    if (found && input.value.trim() === words && document.activeElement === input) show(chooser, words, found);
  };
  // A quick typist's Enter: the field is free for the next name at once, and names are picked in the order of typing.
  let before = Promise.resolve();
  const askAndPick = (chooser, words) => {
    const { input, picked } = chooser;
    clearTimeout(waits.get(input));
    input.value = "";
    close(chooser);
    const answer = find(chooser, words);
    const picking = Promise.allSettled([answer, before]).then(([{ value: found }]) => {
      const have = new Set($$("input", picked).map((each) => each.value));
      const first = found && options(found).find((each) => !have.has(each.dataset.value));
      if (first) add(chooser, first);
      else if (!input.value) { input.value = words; if (found) show(chooser, words, found); }
    });
    before = picking;
    looking.add(picking);
    picking.finally(() => looking.delete(picking));
  };
  const add = ({ box, picked }, option) => {
    if (!box.dataset.many) picked.replaceChildren();
    const item = $("template", box).content.cloneNode(true);
    $("bdi", item).textContent = option.dataset.text;
    $("input", item).value = option.dataset.value;
    const unpick = $("[data-unpick]", item);
    unpick.setAttribute("aria-label", `${unpick.getAttribute("aria-label")} ${option.dataset.text}`);
    picked.append(item);
    picked.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const pick = (chooser, option) => {
    const { input, list } = chooser;
    add(chooser, option);
    input.value = "";
    close(chooser);
    list.replaceChildren();
    input.focus();
  };
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-chooser] [role=combobox]")) return;
    const chooser = parts(event.target);
    clearTimeout(waits.get(event.target));
    waits.set(event.target, setTimeout(() => ask(chooser), 120));
  });
  document.addEventListener("focusin", (event) => {
    for (const box of $$("[data-chooser]")) if (!box.contains(event.target)) close(parts(box.firstElementChild));
    if (event.target.matches("[data-chooser] [role=combobox]")) ask(parts(event.target));
  });
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches("[data-chooser] [role=combobox]")) return;
    const chooser = parts(event.target);
    const all = options(chooser.list);
    const at = all.findIndex((each) => each.getAttribute("aria-selected") === "true");
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (chooser.list.hidden) ask(chooser);
      else mark(chooser, all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    } else if (event.key === "Enter") {
      // Enter never sends the form from here.
      event.preventDefault();
      const words = chooser.input.value.trim();
      if (at >= 0 && !chooser.list.hidden && chooser.list.dataset.words === words) pick(chooser, all[at]);
      else if (words) askAndPick(chooser, words);
    } else if (event.key === "Escape") { close(chooser); }
    else if (event.key === "Backspace" && !chooser.input.value) { chooser.picked.lastElementChild?.remove(); }
  });
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[data-chooser] [role=option]:not([aria-disabled])");
    if (option) { event.preventDefault(); pick(parts(option), option); }
  });
  document.addEventListener("click", (event) => {
    const unpick = event.target.closest("[data-unpick]");
    if (unpick) { const chooser = parts(unpick); unpick.closest("li").remove(); chooser.input.focus(); }
  });
})();
