// What makes the pages better where scripts run. Everything works without.
"use strict";

// Problems of a refused form are read out and reached first.
document.querySelector("[data-focus]")?.focus();

// Menus close on Escape and when something else is touched.
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// An announcement that was put away stays away in this browser.
for (const box of document.querySelectorAll("[data-notice]")) {
  const button = box.querySelector("button");
  button.hidden = false;
  button.addEventListener("click", () => {
    const { notice, cookie } = box.dataset;
    document.cookie = `${cookie}=${notice}; Path=/; Max-Age=31536000; SameSite=Lax` + (cookie.startsWith("__Host-") ? "; Secure" : "");
    box.remove();
    document.getElementById("main")?.focus();
  });
}

// Passwords can be looked at.
for (const input of document.querySelectorAll("input[data-show]")) {
  const box = document.createElement("span");
  box.className = "secret";
  input.replaceWith(box);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = input.dataset.show;
  button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => {
    const hidden = input.type === "password";
    input.type = hidden ? "text" : "password";
    button.textContent = hidden ? input.dataset.hide : input.dataset.show;
  });
  box.append(input, button);
  input.form?.addEventListener("submit", () => { input.type = "password"; });
}

// A form is sent once, however often the button is pressed.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    const note = form.querySelector("[data-saved-note]");
    if (note && form.dataset.busy) note.textContent = form.dataset.busy;
  });
}
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// Passkeys: what the authenticator answers goes with the form. Where the
// browser has none, the form stays away.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const base64url = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

if (!window.PublicKeyCredential) {
  for (const note of document.querySelectorAll("[data-no-passkeys]")) note.hidden = false;
}
for (const form of window.PublicKeyCredential ? document.querySelectorAll("form[data-passkey]") : []) {
  form.hidden = false;
  const button = form.querySelector("button");
  const problem = form.querySelector(".problem");
  let asking; // what is being asked now; a newer question ends it
  let asked = 0;

  const ask = async (mediation) => {
    asking?.abort();
    asking = new AbortController();
    asked = Date.now();
    const { signal } = asking;
    const begun = await fetch(form.dataset.begin, {
      method: "POST",
      headers: { "Content-Type": "application/x-www-form-urlencoded" },
      signal,
    });
    // A fresh proof is asked for first, or the session has ended meanwhile.
    if ((begun.status === 403 || begun.redirected) && !mediation) location.reload();
    if (!begun.ok || begun.redirected) throw new Error(begun.statusText);
    const { publicKey } = await begun.json();
    publicKey.challenge = bytes(publicKey.challenge);
    if (publicKey.user) publicKey.user.id = bytes(publicKey.user.id);
    for (const key of [...(publicKey.excludeCredentials ?? []), ...(publicKey.allowCredentials ?? [])]) key.id = bytes(key.id);
    const made = form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey, signal })
      : await navigator.credentials.get({ publicKey, mediation, signal });
    const response = {};
    for (const name of ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (made.response[name]) response[name] = base64url(made.response[name]);
    }
    if (made.response.getTransports) response.transports = made.response.getTransports();
    form.elements.answer.value = JSON.stringify({
      id: made.id,
      rawId: base64url(made.rawId),
      type: made.type,
      authenticatorAttachment: made.authenticatorAttachment ?? undefined,
      clientExtensionResults: made.getClientExtensionResults(),
      response,
    });
    form.requestSubmit();
  };

  // Where the browser can, it offers passkeys in the list of a field.
  const offer = () => ask("conditional").catch(() => {});
  const offers = () => form.hasAttribute("data-offer") && PublicKeyCredential.isConditionalMediationAvailable?.();
  Promise.resolve(offers()).then((can) => {
    if (!can) return;
    offer();
    setInterval(() => {
      if (!document.hidden && !button.disabled && Date.now() - asked > 240000) offer(); // challenges last five minutes
    }, 60000);
  });

  button.addEventListener("click", async () => {
    problem.hidden = true;
    button.disabled = true;
    try {
      await ask();
    } catch (error) {
      problem.lastElementChild.textContent = error.name === "InvalidStateError" ? form.dataset.known : form.dataset.failed;
      problem.hidden = false;
      if (await offers()) offer();
    }
    button.disabled = false;
  });
}

// Chosen files are listed, can be taken out again, and are measured before
// they travel.
for (const field of document.querySelectorAll("[data-files]")) {
  const input = field.querySelector("input[type=file]");
  const list = document.createElement("ul");
  list.className = "chosen";
  const problem = document.createElement("p");
  problem.className = "problem";
  problem.setAttribute("role", "alert");
  input.after(list, problem);
  const lang = document.documentElement.lang;
  const largest = Number(field.dataset.size);

  const size = (bytes) => {
    const [unit, of] = bytes < 1024 ? ["byte", 1] : bytes < 1024 * 1024 ? ["kilobyte", 1024] : ["megabyte", 1024 * 1024];
    const unitDisplay = unit === "byte" ? "long" : "short";
    return new Intl.NumberFormat(lang, { style: "unit", unit, unitDisplay, maximumFractionDigits: 1 }).format(bytes / of);
  };
  const show = () => {
    list.replaceChildren();
    const files = [...input.files];
    let words = files.length > Number(field.dataset.max) ? field.dataset.many : "";
    files.forEach((file, at) => {
      const item = document.createElement("li");
      const name = document.createElement("span");
      name.className = "file-name";
      name.dir = "auto";
      name.textContent = file.name;
      const bytes = document.createElement("span");
      bytes.className = file.size > largest ? "bad" : "muted";
      bytes.textContent = size(file.size);
      if (file.size > largest) words = field.dataset.large;
      const remove = document.createElement("button");
      remove.type = "button";
      remove.className = "icon-button";
      remove.textContent = "×";
      remove.setAttribute("aria-label", `${field.dataset.remove}: ${file.name}`);
      remove.addEventListener("click", () => {
        const rest = new DataTransfer();
        files.forEach((other, i) => { if (i !== at) rest.items.add(other); });
        input.files = rest.files;
        show();
        input.focus();
      });
      item.append(name, bytes, remove);
      list.append(item);
    });
    problem.textContent = words;
    input.setCustomValidity(words);
  };
  input.addEventListener("change", show);
}

// What is being written is kept, so that nothing is lost when the browser
// closes or the session ends.
for (const form of document.querySelectorAll("form[data-draft]")) {
  const note = form.querySelector("[data-saved-note]");
  let timer = 0;
  let last = "";
  const fields = () => {
    const data = new URLSearchParams();
    for (const [name, value] of new FormData(form)) {
      if (typeof value === "string") data.append(name, value);
    }
    return data.toString();
  };
  const keep = async () => {
    const now = fields();
    if (form.dataset.sent || now === last) return;
    last = now;
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST",
        body: now,
        headers: { "Content-Type": "application/x-www-form-urlencoded" },
        keepalive: now.length < 60000,
      });
      if (note && answer.ok) note.textContent = form.dataset.saved;
    } catch {
      last = ""; // tried again at the next key
    }
  };
  last = fields();
  form.addEventListener("input", () => {
    if (note) note.textContent = "";
    clearTimeout(timer);
    timer = setTimeout(keep, 1500);
  });
  form.addEventListener("submit", () => clearTimeout(timer));
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "hidden") keep();
  });
}

// What is shown once can be copied and printed.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const items = [...document.getElementById(button.dataset.copy).children].map((item) => item.textContent.trim());
    await navigator.clipboard.writeText(items.join("\n"));
    button.textContent = button.dataset.done;
  });
}
for (const button of document.querySelectorAll("button[data-print-now]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// What is shown once can be copied and printed.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) continue; // without TLS there is none
  button.hidden = false;
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    const items = [...document.getElementById(button.dataset.copy).children].map((item) => item.textContent.trim());
    await navigator.clipboard.writeText(items.join("\n"));
    button.textContent = button.dataset.done;
  });
}
for (const button of document.querySelectorAll("button[data-print-now]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A page that was opened to be printed says so to the browser.
if (document.body.hasAttribute("data-print")) window.addEventListener("load", () => window.print());
