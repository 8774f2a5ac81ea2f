// What makes the help desk better where scripts run. Everything works without.
"use strict";

{
  const top = document.querySelector("[data-desk]");
  const base = top?.dataset.desk;
  const queue = document.querySelector("[data-queue]");
  const rows = () => [...document.querySelectorAll(".queue-row")];
  const boxes = () => [...document.querySelectorAll(".queue-check")];
  const linkOf = (row) => row.querySelector(".queue-subject a");
  const numberOf = (row) => row.querySelector(".queue-check").value;

  // The row the keyboard is at: the one with the focus, or the one it was at.
  let at = "";
  const current = () => document.activeElement?.closest?.(".queue-row") ?? rows().find((row) => numberOf(row) === at);
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.(".queue-row");
    if (row) at = numberOf(row);
  });

  // Choosing tickets.
  const all = document.querySelector("[data-all]");
  const chosenWords = document.querySelector("[data-chosen]");
  const allWords = chosenWords?.textContent;
  const chosen = () => {
    if (!all) return;
    const list = boxes();
    const some = list.filter((box) => box.checked).length;
    all.checked = some > 0 && some === list.length;
    all.indeterminate = some > 0 && some < list.length;
    chosenWords.textContent = some > 0 ? `${allWords} (${some})` : allWords;
  };
  all?.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    chosen();
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches(".queue-check")) chosen();
  });
  chosen();

  // What the key of an act means on a page: the element that says so. A link
  // or a button is pressed, a field gets the focus.
  const act = (key) => {
    const target = document.querySelector(`[data-key="${key}"]`);
    if (!target) return false;
    if (target.matches("a, button, summary")) target.click();
    else {
      target.closest("details:not([open])")?.setAttribute("open", "");
      target.focus();
      target.scrollIntoView({ block: "nearest" });
    }
    return true;
  };
  if (/^#key-[rnac]$/.test(location.hash)) {
    const key = location.hash.slice(-1);
    history.replaceState(null, "", location.pathname + location.search);
    // The page's own scripts come first.
    window.addEventListener("load", () => act(key));
  }

  // Keys. They never act in fields, with modifiers, or where they were turned
  // off.
  const go = { m: "mine", u: "unassigned", w: "us", c: "customer", a: "all", s: "snoozed" };
  let waiting = 0; // until when a second key belongs to g
  const move = (by) => {
    const list = rows();
    if (list.length === 0) return;
    const here = list.indexOf(current());
    const next = list[here < 0 ? 0 : Math.min(Math.max(here + by, 0), list.length - 1)];
    linkOf(next).focus();
    next.scrollIntoView({ block: "nearest" });
  };
  const keys = {
    j: () => move(1),
    k: () => move(-1),
    o: () => { const row = current(); if (row) linkOf(row).click(); },
    x: () => {
      const box = current()?.querySelector(".queue-check");
      if (box) { box.checked = !box.checked; chosen(); }
    },
    "/": () => document.getElementById("desk-q").select(),
    "?": () => document.getElementById("desk-keys").showModal(),
    g: () => { waiting = Date.now() + 1500; },
  };
  for (const key of ["r", "n", "a", "c"]) {
    keys[key] = () => {
      if (act(key)) return;
      const row = current();
      if (row) location.assign(`${linkOf(row).href}#key-${key}`);
    };
  }
  // A keyboard that types no Latin letters means a key by its place.
  const keyOf = (event) => {
    if (event.key.length > 1 || event.key <= "~") return event.key;
    if (event.code === "Slash") return event.shiftKey ? "?" : "/";
    return /^Key[A-Z]$/.test(event.code) ? event.code[3].toLowerCase() : event.key;
  };
  const typing = (element) => element.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable=true], dialog[open]");
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "Escape") {
      if (typing(event.target) && !event.target.closest("dialog[open]")) event.target.blur();
      return;
    }
    if (!top?.hasAttribute("data-shortcuts") || typing(event.target)) return;
    const key = keyOf(event);
    let run = keys[key];
    if (Date.now() < waiting && key !== "g") {
      const to = key === "h" ? "/held" : go[key] && `/tickets?queue=${go[key]}`;
      run = to && (() => location.assign(base + to));
    }
    if (key !== "g") waiting = 0;
    if (!run) return;
    event.preventDefault();
    run();
  });

  // What changes is told by the server. Rows change in place, unless somebody
  // is at them; nothing moves until they ask for it.
  const news = document.querySelector("[data-news]");
  let fresh = null; // the list as it is now
  const busy = (row) => row.contains(document.activeElement) || row.matches(":hover") || row.querySelector(".queue-check").checked;
  const say = (count) => {
    if (count === 0) { news.replaceChildren(); return; }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button quiet small";
    button.textContent = news.dataset.show;
    button.addEventListener("click", show);
    news.replaceChildren(count === 1 ? news.dataset.one : news.dataset.many, " ", button);
  };
  const show = () => {
    const inQueue = document.querySelector("[data-queue]");
    const next = fresh?.querySelector("[data-queue]");
    if (!next || !inQueue || !inQueue.matches("ul") || !next.matches("ul")) { location.reload(); return; }
    const kept = boxes().filter((box) => box.checked).map((box) => box.value);
    inQueue.replaceChildren(...next.children);
    document.querySelector(".queue-head .muted").textContent = fresh.querySelector(".queue-head .muted").textContent;
    for (const box of boxes()) box.checked = kept.includes(box.value);
    fresh = null;
    chosen();
    say(0);
    const row = rows().find((one) => numberOf(one) === at) ?? rows()[0];
    if (row) linkOf(row).focus();
  };
  const look = async () => {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const there = new Map([...fresh.querySelectorAll(".queue-row")].map((row) => [row.querySelector(".queue-check").value, row]));
    let waitingFor = 0;
    for (const row of rows()) {
      const next = there.get(numberOf(row));
      there.delete(numberOf(row));
      if (!next) {
        waitingFor++;
        if (row.classList.contains("queue-gone")) continue;
        row.classList.add("queue-gone");
        row.querySelector(".queue-since").textContent = news.dataset.gone;
      } else if (row.innerHTML !== next.innerHTML || row.classList.contains("queue-gone")) {
        if (busy(row)) { waitingFor++; continue; }
        row.classList.remove("queue-gone");
        row.replaceChildren(...next.cloneNode(true).childNodes);
        row.classList.add("queue-changed");
      }
    }
    say(waitingFor + there.size);
  };

  let looking = 0;
  const changed = (detail) => {
    document.dispatchEvent(new CustomEvent("desk:tickets", { detail }));
    if (!queue || !news) return;
    clearTimeout(looking);
    looking = setTimeout(() => look().catch(() => {}), 300);
  };
  let source = null;
  let again = 0;
  let since = top?.dataset.events;
  const listen = () => {
    clearTimeout(again);
    if (source || !since || document.hidden) return;
    source = new EventSource(since);
    source.addEventListener("tickets", (event) => {
      since = since.replace(/\d+$/, event.lastEventId);
      changed(JSON.parse(event.data));
    });
    source.addEventListener("counts", (event) => {
      const counts = JSON.parse(event.data);
      for (const place of document.querySelectorAll("[data-count]")) {
        if (place.dataset.count in counts) place.textContent = counts[place.dataset.count];
      }
    });
    source.addEventListener("error", () => {
      if (source?.readyState !== EventSource.CLOSED) return;
      source = null; // refused: signed out, or too many pages are open
      again = setTimeout(listen, 30000);
    });
  };
  const hush = () => {
    source?.close();
    source = null;
  };
  // A page nobody looks at needs no connection: there are only a few.
  document.addEventListener("visibilitychange", () => (document.hidden ? hush() : listen()));
  window.addEventListener("pagehide", hush);
  window.addEventListener("pageshow", listen);
}
