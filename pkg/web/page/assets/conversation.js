// A ticket's page on the help desk, alive. Everything works without.
"use strict";

(() => {
  // A list is remembered, so that its tickets can be walked through.
  const rows = [...document.querySelectorAll(".queue-row .queue-subject a")];
  if (rows.length) sessionStorage.setItem("desk-list", JSON.stringify(rows.map((link) => new URL(link.href).pathname)));

  const head = document.querySelector("[data-talk]");
  if (!head) return;
  const path = head.dataset.talk;
  const composers = document.querySelector("[data-composers]");
  const urlencoded = { "Content-Type": "application/x-www-form-urlencoded" };

  // What changes is fetched with the page and put in its place; what is being
  // written stays as it is.
  let refreshing = false;
  const refresh = async () => {
    if (refreshing) return;
    refreshing = true;
    try {
      const answer = await fetch(location.pathname + location.search.replace(/[?&](mode|preview)=[^&]*/g, ""));
      if (!answer.ok || answer.redirected) return;
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const old of document.querySelectorAll("[data-live]")) {
        const next = fresh.querySelector(`[data-live="${old.dataset.live}"]`);
        if (!next) continue;
        if (old.dataset.live === "head") {
          // The composer keeps what it has seen: whoever writes is told of the rest.
          old.dataset.last = next.dataset.seen;
        }
        if (old.innerHTML !== next.innerHTML) old.innerHTML = next.innerHTML;
      }
      const back = fresh.querySelector("#answer .talk-warn[role=alert]");
      const body = document.getElementById("answer-body");
      // An answer that came back: its text is in the fresh page's form.
      if (back && body && !body.value.trim()) location.reload();
      count();
    } finally {
      refreshing = false;
    }
  };

  // Answers that wait count down.
  let counting = 0;
  const count = () => {
    clearInterval(counting);
    const waiting = [...document.querySelectorAll("[data-due]")].map((item) => ({ item, at: Date.now() + Number(item.dataset.due) }));
    if (!waiting.length) return;
    counting = setInterval(() => {
      let over = false;
      for (const { item, at } of waiting) {
        const left = Math.ceil((at - Date.now()) / 1000);
        const timer = item.querySelector("[data-countdown]");
        if (!timer) continue;
        if (left > 0) timer.textContent = timer.dataset.countdown.replace("{n}", left);
        else timer.textContent = head.dataset.busy;
        if (left < -1) over = true;
      }
      if (over) {
        clearInterval(counting);
        refresh();
      }
    }, 500);
  };
  count();

  // Others are told that this page is open, and in which form somebody writes;
  // the answer says who else is here and what is new.
  let mode = "viewing";
  const present = document.querySelector("[data-present]");
  const pulse = async () => {
    if (document.hidden) return;
    const seen = document.querySelector("#answer input[name=seen]")?.value ?? head.dataset.seen;
    try {
      const answer = await fetch(`${path}/presence`, { method: "POST", headers: urlencoded, body: new URLSearchParams({ mode, seen }) });
      if (!answer.ok || answer.redirected) return;
      const news = await answer.json();
      const words = news.present.join("\n");
      if (present.dataset.words !== words) {
        present.dataset.words = words;
        present.replaceChildren(...news.present.map((text) => {
          const p = document.createElement("p");
          p.textContent = text;
          return p;
        }));
      }
      if (news.last !== (head.dataset.last ?? head.dataset.seen)) refresh();
    } catch {
      // The next beat tries again.
    }
  };
  pulse();
  setInterval(pulse, 10000);
  document.addEventListener("visibilitychange", pulse);
  window.addEventListener("pagehide", () => {
    navigator.sendBeacon?.(`${path}/presence`, new URLSearchParams({ mode: "gone" }));
  });
  // The frame's stream of changes, where it tells of this ticket.
  document.addEventListener("desk:tickets", (event) => {
    const number = path.slice(path.lastIndexOf("/") + 1);
    if (event.detail.all || event.detail.numbers?.includes(number)) {
      refresh();
      pulse();
    }
  });

  if (composers) {
    for (const form of composers.querySelectorAll("form")) {
      const body = form.querySelector("textarea");
      const files = form.querySelector("input[type=file]");
      let idle = 0;
      body.addEventListener("input", () => {
        const was = mode;
        mode = body.value.trim() ? form.dataset.mode : "viewing";
        if (mode !== was) pulse();
        clearTimeout(idle);
        idle = setTimeout(() => {
          mode = "viewing";
          pulse();
        }, 60000);
      });

      // How much is written, when it nears what fits.
      const left = form.querySelector("[data-count]");
      const size = () => {
        const bytes = new TextEncoder().encode(body.value).length;
        left.textContent = bytes > Number(body.dataset.max) / 2 ? left.dataset.words.replace("{n}", body.value.length) : "";
        body.setCustomValidity(bytes > Number(body.dataset.max) ? left.parentElement.textContent.trim() : "");
      };
      body.addEventListener("input", size);

      // Ctrl+Enter sends.
      form.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
        event.preventDefault();
        form.requestSubmit(form.querySelector("[data-send]"));
      });

      // Files are dropped and pasted.
      const add = (list) => {
        const all = new DataTransfer();
        for (const file of [...files.files, ...list]) all.items.add(file);
        files.files = all.files;
        files.dispatchEvent(new Event("change"));
      };
      form.addEventListener("dragover", (event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        form.classList.add("dropping");
      });
      form.addEventListener("dragleave", () => form.classList.remove("dropping"));
      form.addEventListener("drop", (event) => {
        if (!event.dataTransfer.files.length) return;
        event.preventDefault();
        form.classList.remove("dropping");
        add(event.dataTransfer.files);
      });
      body.addEventListener("paste", (event) => {
        if (!event.clipboardData.files.length) return;
        event.preventDefault();
        add(event.clipboardData.files);
      });

      // The preview stands below the text.
      const preview = form.querySelector("[data-preview]");
      preview.addEventListener("click", async (event) => {
        event.preventDefault();
        const answer = await fetch(preview.dataset.preview, { method: "POST", headers: urlencoded, body: new URLSearchParams({ body: body.value }) });
        if (!answer.ok || answer.redirected) {
          form.requestSubmit(preview);
          return;
        }
        let shown = form.querySelector(".talk-preview");
        if (!shown) {
          shown = document.createElement("section");
          shown.className = "talk-preview";
          shown.setAttribute("aria-label", preview.dataset.label);
          shown.tabIndex = -1;
          body.closest(".field").after(shown);
        }
        const text = document.createElement("div");
        text.className = "body";
        text.innerHTML = await answer.text(); // sanitised by the server
        shown.replaceChildren(text);
        shown.focus();
      });

      // Canned answers go where the cursor is, and are found by name.
      const insert = (text) => {
        body.focus();
        body.setRangeText(text, body.selectionStart, body.selectionEnd, "end");
        body.dispatchEvent(new Event("input", { bubbles: true }));
      };
      const canned = form.querySelector("[data-canned]");
      if (canned) {
        const list = canned.querySelector("ul");
        const search = document.createElement("input");
        search.type = "search";
        search.setAttribute("aria-label", canned.querySelector("summary").textContent.trim());
        search.addEventListener("input", () => {
          const words = search.value.toLocaleLowerCase();
          for (const item of list.children) item.hidden = !item.textContent.toLocaleLowerCase().includes(words);
        });
        search.addEventListener("keydown", (event) => {
          if (event.key !== "Enter") return;
          event.preventDefault();
          event.stopPropagation();
          [...list.children].find((item) => !item.hidden)?.querySelector("button").click();
        });
        list.before(search);
        canned.addEventListener("toggle", () => { if (canned.open) search.focus(); });
        canned.addEventListener("keydown", (event) => {
          if (event.key !== "Escape") return;
          canned.open = false;
          body.focus();
        });
        list.addEventListener("click", async (event) => {
          const button = event.target.closest("[data-insert]");
          if (!button) return;
          event.preventDefault();
          const answer = await fetch(button.dataset.insert);
          if (!answer.ok || answer.redirected) {
            form.requestSubmit(button);
            return;
          }
          canned.open = false;
          insert(await answer.text());
        });
      }

      // Names of colleagues are completed behind an @.
      const names = [...form.querySelectorAll("[data-mentions] [data-name]")].map((item) => item.dataset.name);
      if (names.length) suggest(body, names);
    }

    for (const details of composers.querySelectorAll("details.composer")) {
      details.querySelector("summary").addEventListener("click", () => {
        setTimeout(() => { if (details.open) details.querySelector("textarea").focus(); });
      });
    }
  }

  // The keys of the page, beside those of every page.
  const keys = {
    e: () => {
      const canned = document.querySelector("details.composer[open] [data-canned]");
      if (canned) canned.open = true;
    },
    u: () => document.querySelector("[data-undo]")?.click(),
    j: () => neighbour(1),
    k: () => neighbour(-1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !document.querySelector("[data-shortcuts]")) return;
    if (event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select, dialog[open]")) return;
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });

  // The next and the previous ticket of the list one came from.
  function neighbour(by) {
    const list = JSON.parse(sessionStorage.getItem("desk-list") ?? "[]");
    const here = list.indexOf(path);
    const next = list[here + by];
    if (here >= 0 && next) location.assign(next);
  }

  // suggest offers names behind an @ that is being written.
  function suggest(body, names) {
    const field = body.closest(".field");
    field.classList.add("field-suggest");
    const list = document.createElement("ul");
    list.className = "talk-suggest";
    list.id = `${body.id}-names`;
    list.setAttribute("role", "listbox");
    list.hidden = true;
    field.append(list);
    body.setAttribute("aria-controls", list.id);
    let at = 0;
    const begun = () => /(?:^|[\s(])@([^\s@][^@\n]{0,40})?$/u.exec(body.value.slice(0, body.selectionStart));
    const choose = () => {
      const found = begun();
      const name = list.children[at]?.dataset.name;
      if (!found || !name) return;
      const start = body.selectionStart - (found[1] ?? "").length;
      body.setRangeText(`${name} `, start, body.selectionStart, "end");
      list.hidden = true;
      body.dispatchEvent(new Event("input", { bubbles: true }));
    };
    const mark = () => {
      [...list.children].forEach((item, i) => item.setAttribute("aria-selected", i === at));
      body.setAttribute("aria-activedescendant", list.children[at]?.id ?? "");
    };
    const show = () => {
      const found = begun();
      const words = (found?.[1] ?? "").toLocaleLowerCase();
      const fits = found ? names.filter((name) => name.toLocaleLowerCase().startsWith(words) && name.toLocaleLowerCase() !== words.trim()).slice(0, 6) : [];
      list.hidden = fits.length === 0;
      list.replaceChildren(...fits.map((name, i) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${i}`;
        item.dataset.name = name;
        item.textContent = name;
        item.setAttribute("role", "option");
        item.addEventListener("mousedown", (event) => {
          event.preventDefault();
          at = i;
          choose();
        });
        return item;
      }));
      at = 0;
      if (fits.length) mark();
      else body.removeAttribute("aria-activedescendant");
    };
    body.addEventListener("input", show);
    body.addEventListener("blur", () => { list.hidden = true; });
    body.addEventListener("keydown", (event) => {
      if (list.hidden) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        at = (at + (event.key === "ArrowDown" ? 1 : list.children.length - 1)) % list.children.length;
        mark();
      } else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") {
        event.preventDefault();
        choose();
      } else if (event.key === "Escape") {
        event.stopPropagation();
        list.hidden = true;
      }
    });
  }
})();
