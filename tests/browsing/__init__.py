"""The console in a real browser: Debian's Chromium by Playwright, what goes wrong on its pages, and what is on them."""
