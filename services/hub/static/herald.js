"use strict";
// What pages do beyond links and forms. Everything here has a way without it: each control is a link or a form first.

const one = (selector, root = document) => root.querySelector(selector);
const words = document.body.dataset;

document.body.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = words.csrf || "";
});

// A refusal is an answer too: show what came instead of nothing.
document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.xhr.status >= 400) { event.detail.shouldSwap = true; event.detail.isError = false; }
});
document.body.addEventListener("htmx:sendError", () => toast(words.offline));

function toast(text) {
  one(".toast")?.remove();
  const box = document.createElement("div");
  box.className = "toast";
  box.setAttribute("role", "status");
  box.textContent = text;
  document.body.append(box);
  setTimeout(() => box.remove(), 6000);
}
if (one(".toast")) {
  const url = new URL(location.href);
  for (const name of ["toast", "count"]) url.searchParams.delete(name);
  history.replaceState(history.state, "", url);
  setTimeout(() => one(".toast")?.remove(), 6000);
}

// The sheet: opened by what is loaded into it, closed by Escape, its button, or a tap beside it.
const sheet = one("#sheet");
let opener = null;
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-opens-sheet]");
  if (link) opener = link;
  if (event.target.closest("[data-closes]") && sheet?.open) { event.preventDefault(); sheet.close(); }
  if (event.target === sheet) sheet.close();
  const again = event.target.closest("[data-share-again]");
  if (again) hand(one("[data-shared]"));
  const copy = event.target.closest("[data-copy]");
  if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => toast(words.copied));
});
// This comes a frame later, when the sheet may already show the next: what it holds stays until that replaces it.
sheet?.addEventListener("close", () => opener?.focus());
// Not before it has settled: until then its form is not yet bound and would leave the page.
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "sheet-body") return;
  if (!sheet.open) sheet.showModal();
  const shared = one("[data-shared]", sheet);
  if (shared) hand(shared);
  else one("[data-first]", sheet)?.focus();
});

// Hand the post to its network: the phone's own sheet, or the network's dialog in a new tab.
async function hand(shared) {
  const { network, text, url, dialog, copies } = shared.dataset;
  if (copies === "yes") { try { await navigator.clipboard.writeText(text); } catch { /* the text is on the page */ } }
  if (network === "device") {
    if (!navigator.share) return;
    try { await navigator.share({ text, url }); } catch { one("[data-not-posted]", shared)?.focus(); }
  } else if (dialog.startsWith("mailto:")) {
    location.href = dialog;
  } else if (dialog) {
    window.open(dialog, "_blank", "noopener");
    one("a.button", shared)?.focus(); // A browser that took too long to get here refuses the tab: the link is one key away.
  }
}

// A suggestion fills the caption; writing makes it one's own.
document.addEventListener("change", (event) => {
  const chosen = event.target.closest("[data-caption]");
  if (!chosen) return;
  const form = chosen.closest("form");
  const area = one("textarea", form);
  area.value = chosen.dataset.caption;
  one("[name=language]", form).value = chosen.dataset.language;
  area.dispatchEvent(new Event("input", { bubbles: true }));
});

// Figures that move by themselves.
const live = one("[data-live]");
if (live) {
  const dot = one(".live");
  const source = new EventSource(live.dataset.live);
  source.addEventListener("open", () => { dot.classList.add("on"); dot.textContent = dot.dataset.on; });
  source.addEventListener("error", () => { dot.classList.remove("on"); dot.textContent = dot.dataset.off; });
  source.addEventListener("figures", (event) => {
    for (const [key, [text, detail]] of Object.entries(JSON.parse(event.data))) {
      const about = one(`[data-detail="${key}"]`);
      if (about) about.textContent = detail;
      const place = one(`[data-figure="${key}"]`);
      if (!place || place.textContent === text) continue;
      place.textContent = text;
      place.classList.remove("moved");
      void place.offsetWidth;
      place.classList.add("moved");
    }
  });
  source.addEventListener("charts", (event) => {
    const charts = one("#charts");
    const open = [...charts.querySelectorAll("details")].map((details) => details.open);
    charts.innerHTML = event.data;
    charts.querySelectorAll("details").forEach((details, index) => { details.open = Boolean(open[index]); });
  });
  source.addEventListener("ended", (event) => { source.close(); location.assign(event.data); });
  addEventListener("pagehide", () => source.close());
}

document.addEventListener("change", (event) => { if (event.target.matches("[data-submits]")) event.target.form.requestSubmit(); });
document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm;
  if (question && !confirm(question)) event.preventDefault();
}, true);

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js");
