// Before the first paint: follow the system's colours where the reader chose nothing.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => { document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  show();
  dark.addEventListener("change", show);
})();
