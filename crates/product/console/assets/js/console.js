// What pages do beyond showing: the menu on a phone, shortcuts, confirmations, toasts,
// uploads with progress. Every page works without it, only less comfortably.
(() => {
  "use strict";
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

  // The menu on narrow screens.
  const side = $("#side");
  const setMenu = (open) => {
    if (!side) return;
    side.classList.toggle("open", open);
    $("[data-menu]")?.setAttribute("aria-expanded", String(open));
    if (open) $("a", side)?.focus();
    else if (location.hash === "#side") history.replaceState(null, "", location.pathname + location.search);
  };
  document.addEventListener("click", (event) => {
    const toggle = event.target.closest("[data-menu]");
    if (toggle) {
      event.preventDefault();
      setMenu(!side.classList.contains("open"));
    } else if (side?.classList.contains("open") && !event.target.closest("#side")) {
      setMenu(false);
    }
    for (const menu of $$("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
  });

  // Toasts: said politely, gone by themselves unless they are faults.
  const toast = (text, kind = "pass") => {
    const list = $("#toasts");
    const template = $(`#toast-${kind === "fail" ? "fail" : "pass"}`);
    if (!list || !template) return;
    const item = template.content.firstElementChild.cloneNode(true);
    $("[data-text]", item).textContent = text;
    list.append(item);
    if (kind !== "fail") setTimeout(() => item.remove(), 6000);
  };
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-dismiss]")) event.target.closest(".notice").remove();
  });
  document.body.addEventListener("ephor:toast", (event) => toast(event.detail.text, event.detail.kind));
  document.body.addEventListener("htmx:responseError", (event) => {
    const type = event.detail.xhr.getResponseHeader("content-type") || "";
    if (!type.startsWith("text/html")) toast(problemText(event.detail.xhr), "fail");
  });
  document.body.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["x-csrf-token"] = document.body.dataset.csrf;
  });
  document.body.addEventListener("htmx:sendError", () => toast("The server cannot be reached.", "fail"));
  // A refused form comes back as a page with its faults beside the fields: show it.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    const status = event.detail.xhr.status;
    const type = event.detail.xhr.getResponseHeader("content-type") || "";
    if (status >= 400 && status < 500 && type.startsWith("text/html")) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });

  const problemText = (xhr) => {
    try {
      const problem = JSON.parse(xhr.responseText);
      const faults = (problem.faults || []).map((fault) => fault.message);
      return [problem.detail, ...faults.slice(faults.length > 1 ? 0 : 1)].join(" ");
    } catch {
      return `The request failed (${xhr.status || "no answer"}).`;
    }
  };

  // "Are you sure?" in a dialog of ours, for a form or button that asks for it.
  let agreed = null;
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const asker = event.submitter?.dataset.confirm ? event.submitter : form;
      const question = asker.dataset?.confirm;
      const dialog = $("#confirm");
      if (!question || !dialog || agreed === form) return;
      event.preventDefault();
      event.stopPropagation();
      $("[data-question]", dialog).textContent = question;
      $("[data-yes]", dialog).textContent = asker.dataset.confirmVerb || "Go ahead";
      dialog.addEventListener(
        "close",
        () => {
          if (dialog.returnValue !== "yes") return;
          agreed = form;
          form.requestSubmit(event.submitter || undefined);
          agreed = null;
        },
        { once: true },
      );
      dialog.returnValue = "";
      dialog.showModal();
    },
    true,
  );

  // Opening and closing dialogs by button.
  document.addEventListener("click", (event) => {
    const opener = event.target.closest("[data-dialog]");
    if (opener) document.getElementById(opener.dataset.dialog)?.showModal();
    if (event.target.closest("[data-copy]")) {
      const field = document.getElementById(event.target.closest("[data-copy]").dataset.copy);
      field.select();
      navigator.clipboard?.writeText(field.value).then(
        () => toast("Copied."),
        () => toast("Select it and copy by hand.", "fail"),
      );
    }
  });

  // Keyboard: `/` to search, `g` then a letter to go, `?` for the list of them.
  let going = 0;
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "Escape" && side?.classList.contains("open")) {
      setMenu(false);
      // Else the keyboard would be left in a menu that is gone.
      $("[data-menu]")?.focus();
    }
    const menu = event.key === "Escape" && $("details.menu[open]");
    if (menu) {
      menu.open = false;
      $("summary", menu).focus();
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
    if (event.key === "/") {
      const search = $("[data-search]");
      if (search) {
        event.preventDefault();
        search.focus();
        search.select();
      }
    } else if (event.key === "?") {
      $("#keys")?.showModal();
    } else if (event.key === "g") {
      going = event.timeStamp;
    } else if (going && event.timeStamp - going < 1500) {
      going = 0;
      const link = $(`[data-key="${CSS.escape(event.key)}"]`);
      if (link) location.assign(link.href);
    }
  });

  // Uploads: shown as they go, and their faults said where the file was chosen.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-upload]") || event.defaultPrevented) return;
    event.preventDefault();
    const bar = $("progress", form);
    const words = $("[data-progress-text]", form);
    const button = $("[type=submit]", form);
    const fault = $("[data-fault]", form);
    const xhr = new XMLHttpRequest();
    const say = (text) => { words.textContent = text; };
    const failed = (text) => {
      bar.hidden = true;
      button.disabled = false;
      say("");
      $("[data-text]", fault).textContent = text;
      fault.hidden = false;
    };
    fault.hidden = true;
    bar.hidden = false;
    bar.removeAttribute("value");
    button.disabled = true;
    say("Starting.");
    xhr.upload.addEventListener("progress", (step) => {
      if (!step.lengthComputable) return;
      bar.value = step.loaded / step.total;
      const share = Math.floor((100 * step.loaded) / step.total);
      if (share % 10 === 0 || step.loaded === step.total) say(`${share} % sent.`);
    });
    xhr.upload.addEventListener("load", () => {
      bar.removeAttribute("value");
      say("Sent. Reading, checking and profiling it.");
    });
    xhr.addEventListener("error", () => failed("The connection broke. Nothing was stored; try again."));
    xhr.addEventListener("load", () => {
      if (xhr.status < 300) location.assign(form.dataset.done || `/datasets/${JSON.parse(xhr.responseText).id}?done=created`);
      else failed(problemText(xhr));
    });
    xhr.open("POST", form.action);
    xhr.setRequestHeader("accept", "application/json");
    xhr.setRequestHeader("x-csrf-token", document.body.dataset.csrf);
    xhr.send(new FormData(form));
  });

  // Choosing in a field marked so reloads the form for it.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]")) event.target.form.requestSubmit();
  });

  // Times are the server's in UTC; say them in the reader's own zone on hover.
  const localTimes = (within) => {
    for (const time of $$("time[datetime]", within)) {
      const moment = new Date(time.dateTime);
      if (!Number.isNaN(moment.valueOf())) time.title = moment.toLocaleString();
    }
  };
  localTimes(document);
  document.body.addEventListener("htmx:load", (event) => localTimes(event.detail.elt));

  // After a refused form, begin at the first fault.
  $("[aria-invalid=true]")?.focus();

  // A live page whose work has ended loads its final form.
  document.body.addEventListener("htmx:sseClose", (event) => {
    if (event.detail.type === "message") location.reload();
  });
})();
