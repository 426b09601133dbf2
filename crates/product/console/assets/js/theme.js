// The theme is the system's unless somebody chose one: the choice is a cookie, so that the
// server can write it into the page and nothing flickers.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("scripted");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const now = () => root.dataset.theme || (dark.matches ? "dark" : "light");
  const tell = () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.setAttribute("aria-pressed", String(now() === "dark"));
    }
    document.dispatchEvent(new CustomEvent("ephor:theme"));
  };
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    const next = now() === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    if (location.protocol.startsWith("http")) {
      document.cookie = `ephor_theme=${next}; Path=/; Max-Age=31536000; SameSite=Lax`;
    }
    tell();
  });
  dark.addEventListener("change", tell);
  addEventListener("beforeprint", () => document.dispatchEvent(new CustomEvent("ephor:print")));
  addEventListener("afterprint", tell);
  tell();
})();
