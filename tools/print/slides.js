const slides = [...document.querySelectorAll("section")];
const at = () => slides.findIndex((s) => s.getBoundingClientRect().bottom > innerHeight / 2);
addEventListener("keydown", (e) => {
  const by = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 }[e.key];
  if (!by || e.target.closest("a,summary")) return;
  e.preventDefault();
  const next = slides[Math.max(0, Math.min(slides.length - 1, at() + by))];
  next.scrollIntoView();
  next.focus({ preventScroll: true });
});
