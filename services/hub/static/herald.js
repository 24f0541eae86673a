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
  grows = event.detail.target.matches(".more") ? event.detail.target.previousElementSibling : null;
});
// A list that grew: go on from the first entry that is new.
let grows = null;
document.body.addEventListener("htmx:afterSettle", () => {
  const added = grows?.nextElementSibling;
  grows = null;
  const entry = added && one("li, article", added);
  if (!entry) return;
  entry.tabIndex = -1;
  entry.focus({ preventScroll: true });
});
document.body.addEventListener("htmx:sendError", () => toast(words.offline));

// Inside the sheet while it is open: what lies outside of a modal dialog is behind it, and takes no taps.
function toast(text) {
  one(".toast")?.remove();
  const box = document.createElement("div");
  box.className = "toast";
  box.setAttribute("role", "status");
  box.textContent = text;
  (sheet?.open ? sheet : document.body).append(box);
  setTimeout(() => box.remove(), 6000);
}
if (one(".toast")) {
  const url = new URL(location.href);
  for (const name of ["toast", "count", "of"]) url.searchParams.delete(name);
  history.replaceState(history.state, "", url);
  const box = one(".toast");
  setTimeout(() => box.remove(), (box.dataset.seconds || 6) * 1000);
}
if (!navigator.share) document.documentElement.classList.add("no-share-menu");

// A tap is meant for what stood there when it was aimed: for a second, what has just changed takes none.
const SETTLES = 1000;
const settling = new WeakMap();
function settle(region) {
  region.dataset.settling = "";
  clearTimeout(settling.get(region));
  settling.set(region, setTimeout(() => { delete region.dataset.settling; }, SETTLES));
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-opens-sheet].htmx-request");
  if (link) showWait(link); // It was closed while it was still to come: it is already asked for.
  else if (!event.target.closest("[data-settling]") || event.target.closest("[data-closes], textarea")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, true);
document.body.addEventListener("htmx:afterSwap", (event) => {
  settle(event.detail.target);
  if (event.detail.target === inside && !sheet.open) sheet.showModal(); // An answer is seen, whatever was closed before.
});

// The sheet: opened by the tap, filled by what is loaded, closed by Escape, its button, or a tap beside it.
const sheet = one("#sheet");
const inside = one("#sheet-body");
let opener = null;
let wanted = null;
function showWait(link) {
  opener = wanted = link;
  inside.replaceChildren(one("#sheet-wait").content.cloneNode(true));
  one("h2", inside).textContent = link.title;
  openSheet();
}
function openSheet() {
  if (!sheet.open) sheet.showModal();
  (one("[autofocus]", sheet) || one("[data-first]:not([disabled])", sheet) || sheet).focus();
}
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-opens-sheet]");
  if (link) showWait(link);
  if (event.target.closest("[data-closes]") && sheet?.open) { event.preventDefault(); sheet.close(); }
  if (event.target === sheet && !("settling" in inside.dataset) && !one("[data-wait]", sheet)) sheet.close();
  const again = event.target.closest("[data-share-again]");
  if (again) hand(one("[data-shared]"));
  const copy = event.target.closest("[data-copy]");
  if (copy) copied(copy.dataset.copy).then((done) => toast(done ? words.copied : words.notCopied));
});
// This comes a frame later, when the sheet may already show the next: what it holds stays until that replaces it.
sheet?.addEventListener("close", () => {
  const box = one(".toast", sheet);
  if (box) document.body.append(box);
  if (!sheet.open) wanted = null;
  if (sheet.dataset.beneath) location.assign(sheet.dataset.beneath);
  opener?.focus();
});
document.body.addEventListener("htmx:sendError", () => { if (one("[data-wait]", sheet)) sheet.close(); });
document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig: { elt }, target } = event.detail;
  if (target === inside && "opensSheet" in elt.dataset && elt !== wanted) event.detail.shouldSwap = false;
});
// Not before it has settled: until then its form is not yet bound and would leave the page.
document.body.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id === "check") ready(event.detail.target);
  if (event.detail.target !== inside) return;
  if (sheet.open) openSheet();
  mark(one("[data-shared], [data-withdrawn]", sheet));
  const shared = one("[data-shared][data-hand]", sheet);
  if (shared) hand(shared);
});
// What the guardrails block cannot be shared until it is changed.
function ready(check) {
  const share = one("[data-share]");
  if (share) share.disabled = Boolean(one("[data-blocked]", check));
}
// A sheet that came as a page of its own, by a link to it.
const page = one("[data-sheet-page]");
if (page && sheet) {
  sheet.dataset.beneath = page.dataset.sheetPage;
  inside.append(...page.childNodes);
  page.remove();
  openSheet();
}

// The card behind says at once whether its item is shared.
function mark(answer) {
  const tag = answer && one(`[data-shared-tag="${CSS.escape(answer.dataset.item)}"]`);
  if (tag) tag.hidden = "withdrawn" in answer.dataset && !("stillShared" in answer.dataset);
}

async function copied(text) {
  try { await navigator.clipboard.writeText(text); return true; } catch { return false; }
}

// Hand the post to its network: the phone's own sheet, or the network's dialog in a new tab.
async function hand(shared) {
  const { network, text, words, url, dialog } = shared.dataset;
  if ("copies" in shared.dataset && await copied(text)) {
    one("[data-when-copied]", shared).hidden = false;
    one("[data-unless-copied]", shared).hidden = true;
  }
  if (network === "device") {
    if (!navigator.share) return;
    // Programs put the two together: the text goes without the address.
    try { await navigator.share({ text: words, url }); } catch { one("[data-share-again]", shared)?.focus(); }
  } else if (dialog.startsWith("mailto:")) {
    location.href = dialog;
  } else if (dialog) {
    window.open(dialog, "_blank", "noopener");
    one("[data-opens]", shared)?.focus(); // A browser that took too long to get here refuses the tab: the link is one key away.
  }
}

// A suggestion of the guardrails is one tap to take.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[name=mended]");
  if (!button) return;
  event.preventDefault();
  const area = one("textarea", button.form);
  const { excerpt, instead } = button.dataset;
  area.value = excerpt && area.value.includes(excerpt) ? area.value.replace(excerpt, () => instead) : button.value;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
});

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

// A long list is searched as one types; what is ticked stays in sight.
const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
document.querySelectorAll("[data-filter]").forEach((filter) => { filter.hidden = false; });
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-filter]")) return;
  const wanted = folded(event.target.value);
  for (const choice of event.target.closest("fieldset").querySelectorAll(".choice")) {
    choice.hidden = !one("input", choice).checked && !folded(choice.textContent).includes(wanted);
  }
});
document.addEventListener("keydown", (event) => { if (event.key === "Enter" && event.target.matches("[data-filter]")) event.preventDefault(); });

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

if ("serviceWorker" in navigator) navigator.serviceWorker.register("/sw.js");
