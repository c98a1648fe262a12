// Pages work without this. It makes a few things quicker.
"use strict";
// A form that came back shows first what is wrong with it.
document.getElementById("fault")?.focus();
// A choice that filters a list acts at once.
for (const form of document.querySelectorAll("form[data-live]")) {
  form.addEventListener("change", () => form.requestSubmit());
}
// A button that cannot be undone asks once more.
for (const button of document.querySelectorAll("button[data-sure]")) {
  button.addEventListener("click", (e) => { if (!confirm(button.dataset.sure)) e.preventDefault(); });
}
// A form that asks back shows what it asks.
document.getElementById("doubts")?.focus();
// A new client lives where this browser is, until somebody says otherwise; and
// the browser knows every time zone by name.
const zones = document.getElementById("zones");
if (zones && Intl.supportedValuesOf) {
  const known = new Set([...zones.options].map((o) => o.value));
  for (const name of Intl.supportedValuesOf("timeZone")) {
    if (!known.has(name)) zones.append(new Option(name, name));
  }
}
const zone = document.querySelector("form[data-zone] input[name=time_zone]");
if (zone && !zone.value) zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone ?? "";
// A questionnaire that is not sent yet is kept in this tab, for a session can
// end while somebody reads questions out. It is forgotten when it is stored, on
// signing out, with the tab, and after twelve hours.
const keeping = "protrack/";
const keep = document.querySelector("form[data-keep]");
try {
  for (const key of Object.keys(sessionStorage)) {
    if (!key.startsWith(keeping)) continue;
    const kept = document.querySelector("[data-kept]");
    const old = Date.now() - (JSON.parse(sessionStorage.getItem(key)).at ?? 0) > 12 * 3600 * 1000;
    const others = keep && !key.startsWith(keeping + keep.dataset.keep.split("/")[0]);
    if (old || others || kept && key.startsWith(keeping + kept.dataset.kept)) sessionStorage.removeItem(key);
  }
  document.querySelector('form[action="/logout"]')?.addEventListener("submit", () => sessionStorage.clear());
  if (keep) {
    const key = keeping + keep.dataset.keep;
    const typed = () => [...new FormData(keep)].filter(([name]) => name.startsWith("answers.") || ["in_order", "total", "reason"].includes(name));
    const before = JSON.parse(sessionStorage.getItem(key) ?? "null");
    // What the server shows of a form that it sent back is newer than what is kept.
    if (before && !document.querySelector("#fault, #doubts")) {
      for (const [name, value] of before.fields) {
        const field = keep.elements[name];
        if (field) field.value = value;
      }
      document.querySelector("[data-restored]").hidden = false;
    }
    keep.addEventListener("input", () => sessionStorage.setItem(key, JSON.stringify({ at: Date.now(), fields: typed() })));
  }
} catch { /* a browser that keeps nothing is none the worse */ }
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
