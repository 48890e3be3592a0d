// A passkey instead of the password: a page without this script, or a browser without passkeys, asks for the password.
(() => {
  "use strict";
  if (!window.PublicKeyCredential || !navigator.credentials) return;
  const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (each) => each.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const listed = (credentials) => (credentials || []).map((each) => ({ ...each, id: bytes(each.id) }));

  async function options(url, form, more = {}) {
    const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, ...more });
    const answer = await fetch(url, { method: "POST", body, headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  }

  async function make(form) {
    const asked = await options(form.dataset.passkeyMake, form);
    asked.challenge = bytes(asked.challenge);
    asked.user.id = bytes(asked.user.id);
    asked.excludeCredentials = listed(asked.excludeCredentials);
    const made = await navigator.credentials.create({ publicKey: asked });
    const { clientDataJSON, attestationObject } = made.response;
    return {
      id: made.id, rawId: text(made.rawId), type: made.type,
      response: { clientDataJSON: text(clientDataJSON), attestationObject: text(attestationObject) },
    };
  }

  async function ask(button) {
    const asked = await options(button.dataset.ask || "/passkeys/ask", button.form, { subject: button.dataset.subject || "" });
    asked.challenge = bytes(asked.challenge);
    asked.allowCredentials = listed(asked.allowCredentials);
    const said = await navigator.credentials.get({ publicKey: asked });
    const { clientDataJSON, authenticatorData, signature, userHandle } = said.response;
    return {
      id: said.id, rawId: text(said.rawId), type: said.type,
      response: {
        clientDataJSON: text(clientDataJSON), authenticatorData: text(authenticatorData), signature: text(signature),
        userHandle: userHandle ? text(userHandle) : null,
      },
    };
  }

  // One question at a time: a second press while the device waits would only end the first.
  async function once(control, answer) {
    const form = control.form || control;
    const trouble = form.querySelector("[data-passkey-trouble]");
    if (form.dataset.asking) return false;
    form.dataset.asking = "1";
    trouble.hidden = true;
    try {
      await answer(form);
      return true;
    } catch {
      trouble.hidden = false;
      return false;
    } finally {
      delete form.dataset.asking;
    }
  }

  for (const form of document.querySelectorAll("form[data-passkey-make]")) {
    form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.answer.value) return;
      event.preventDefault();
      const done = await once(form, async () => { form.elements.answer.value = JSON.stringify(await make(form)); });
      if (done) form.submit();
    });
  }
  for (const button of document.querySelectorAll("button[data-passkey]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const done = await once(button, async (form) => {
        form.elements[button.dataset.answer || "confirm_passkey"].value = JSON.stringify(await ask(button));
        for (const input of form.querySelectorAll("[data-or-passkey]")) input.required = false;
      });
      if (done) button.form.requestSubmit();
    });
  }
})();
