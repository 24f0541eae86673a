"use strict";
// Forms lose nothing. What is typed is kept on this device, for this account, until it is sent; a form is sent without
// leaving its page, so that no refusal and no missing network takes it away. Without scripts the pages do the same.
if (words.account) {
  const DAYS = 7 * 864e5;
  const prefix = `draft:${words.account}:`;
  const disk = (act, ...rest) => { try { return localStorage[act](...rest); } catch { return null; } }; // full, or forbidden
  const drafts = () => { try { return Object.keys(localStorage).filter((key) => key.startsWith("draft:")); } catch { return []; } };
  const draftIn = (key) => JSON.parse(disk("getItem", key));
  const drop = (key) => disk("removeItem", key);
  const keyOf = (form) => prefix + (form.dataset.draft || form.getAttribute("action"));
  const typed = (form) => form.method === "post" && form.dataset.draft !== "off" && one("textarea, select, input:not([type=hidden], [type=file])", form);
  const ofPage = (name) => /^(csrf|page|key)?$/.test(name);
  const read = (form) => [...new FormData(form)].filter(([name, value]) => typeof value === "string" && !ofPage(name));
  const save = (form) => typed(form) && disk("setItem", keyOf(form), JSON.stringify({ at: Date.now(), fields: read(form) }));

  // The same as the server does with a form that it shows again.
  function fill(form, fields) {
    const values = {}, groups = {};
    for (const [name, value] of fields) (values[name] ||= []).push(value);
    for (const row of form.querySelectorAll("[data-row]")) (groups[row.dataset.row] ||= []).push(row);
    for (const rows of Object.values(groups)) {
      const wanted = Math.max(1, ...[...rows[0].querySelectorAll("[name]")].map(({ name }) => values[name]?.length || 0));
      while (rows.length > wanted) rows.pop().remove();
      while (rows.length < wanted) { rows.push(rows.at(-1).cloneNode(true)); rows.at(-2).after(rows.at(-1)); }
    }
    for (const control of form.elements) {
      const given = values[control.name] || [];
      if (ofPage(control.name) || /file|submit/.test(control.type)) continue;
      if (/box|radio/.test(control.type)) control.checked = given.includes(control.value);
      else if (control.multiple) for (const option of control.options) option.selected = given.includes(option.value);
      else if (given.length) control.value = given.shift();
    }
  }

  function say(form, text, role) {
    one("[data-said]", form)?.remove();
    const box = document.createElement("div");
    box.className = role ? "notice bad" : "notice";
    box.dataset.said = "";
    box.tabIndex = -1;
    box.setAttribute("role", role || "status");
    box.append(text);
    form.prepend(box);
    return box;
  }

  // A browser would say what is wrong in its own language, and not in that of the page: the server says it.
  function arrive(root) {
    for (const form of root.querySelectorAll("form")) form.noValidate = true;
    for (const form of root.querySelectorAll("form:not([data-kept])")) {
      const key = keyOf(form), draft = typed(form) && draftIn(key);
      if (!draft) continue;
      form.reset(); // A browser that goes back may have filled it in a little already.
      const before = read(form);
      fill(form, draft.fields);
      if (`${read(form)}` === `${before}`) { drop(key); continue; }
      form.closest("details")?.setAttribute("open", "");
      one("textarea", form)?.dispatchEvent(new Event("input", { bubbles: true }));
      const box = say(form, words.restored);
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button small quiet";
      button.textContent = words.discard;
      button.onclick = () => { fill(form, before); drop(key); box.remove(); };
      box.append(button);
    }
  }
  for (const key of drafts()) if (!(draftIn(key)?.at > Date.now() - DAYS)) drop(key);
  document.addEventListener("input", ({ target: { form } }) => { if (form) save(form); });
  document.body.addEventListener("htmx:load", ({ detail: { elt } }) => arrive(elt));
  document.body.addEventListener("htmx:beforeOnLoad", ({ detail: { elt, xhr } }) => { // While the form is still there.
    if (xhr.status < 400 && elt.matches("form") && xhr.responseText.includes(" data-sent")) drop(keyOf(elt));
  });
  document.body.addEventListener("htmx:configRequest", ({ detail: { elt, headers } }) => {
    headers["Herald-Page"] = elt.closest("form")?.elements.page?.value || location.pathname;
  });

  document.addEventListener("submit", async (event) => {
    const { target: form, submitter } = event;
    const action = submitter?.getAttribute("formaction") || form.getAttribute("action");
    if (stopAtHalf(event) || event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
    if (action === "/auth/sign-out") {
      for (const key of drafts()) if (key.startsWith(prefix)) drop(key);
      return;
    }
    event.preventDefault();
    if (form.ariaBusy) return;
    form.ariaBusy = true;
    const data = new FormData(form, submitter);
    const body = /multi/.test(form.enctype) ? data : new URLSearchParams(data);
    try {
      const answer = await fetch(action, { method: "POST", headers: { "Herald-Form": "1", "Herald-Page": data.get("page") }, body });
      const to = answer.headers.get("HX-Redirect");
      if (to) {
        if (answer.ok) drop(keyOf(form));
        else save(form);
        return location.assign(to);
      }
      show(form, new DOMParser().parseFromString(await answer.text(), "text/html"), answer.ok);
    } catch {
      say(form, words.offline, "alert").focus();
    }
    form.ariaBusy = null;
  });

  // Of a date that is half written a browser sends nothing at all.
  function stopAtHalf(event) {
    const half = [...event.target.elements].find((control) => control.validity?.badInput);
    if (!half) return false;
    event.preventDefault();
    const id = `error-${half.id}`;
    if (!document.getElementById(id)) {
      const message = document.createElement("p");
      message.className = "error";
      message.id = id;
      message.textContent = words.half;
      half.after(message);
      half.ariaInvalid = "true";
      half.setAttribute("aria-describedby", `${id} ${half.getAttribute("aria-describedby") || ""}`);
    }
    half.focus();
    return true;
  }

  // The page that the answer is, or of one that has no such form any more only what it says.
  function show(form, page, ok) {
    const again = one("form[data-kept]", page), main = one("main", page);
    if (ok && one("[data-sent]", page)) drop(keyOf(form));
    if (!ok && !again) return say(form, one("[role=alert]", page)?.textContent || words.offline, "alert").focus();
    for (const { name, files } of form.querySelectorAll("[type=file]")) if (again?.elements[name]) again.elements[name].files = files;
    one("main").replaceWith(main);
    document.title = page.title;
    htmx.process(main);
    arrive(main);
    scrollTo(0, 0);
    (one("[autofocus]", main) || main).focus();
  }
}
