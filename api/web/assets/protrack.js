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
