/* Light or dark, as chosen in the console, for pages that are not of its frame. */
(() => {
    "use strict";
    const chosen = localStorage.getItem("_x_adminTheme") ?? localStorage.getItem("adminTheme") ?? "auto";
    const dark = chosen.includes("dark") || (chosen.includes("auto") && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.classList.toggle("dark", dark);
})();
