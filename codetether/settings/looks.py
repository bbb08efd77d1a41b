"""How the console looks: django-unfold's settings (its documentation names them)."""

UNFOLD = {
    "SITE_TITLE": "CodeTether",
    "SITE_HEADER": "CodeTether",
    "SITE_SYMBOL": "hub",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "codetether.console.favicon"},
        {"rel": "apple-touch-icon", "sizes": "180x180", "href": "codetether.console.touch_icon"},
        {"rel": "manifest", "type": "application/manifest+json", "href": "codetether.console.manifest"},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "DASHBOARD_CALLBACK": "codetether.overview.dashboard",
    "STYLES": ["codetether.console.stylesheet"],
    "SCRIPTS": ["codetether.console.script", "codetether.console.app_script"],
    "SIDEBAR": {"show_search": True, "navigation": "codetether.console.navigation"},
    "COMMAND": {"show_history": False},  # it would keep titles in the browser, for whoever signs in there next
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .014 195)",
            "100": "oklch(94.5% .035 195)",
            "200": "oklch(89.5% .065 195)",
            "300": "oklch(83% .1 195)",
            "400": "oklch(74% .12 195)",
            "500": "oklch(66% .115 195)",
            "600": "oklch(52% .095 195)",
            "700": "oklch(46% .08 195)",
            "800": "oklch(39.5% .066 195)",
            "900": "oklch(34.5% .053 195)",
            "950": "oklch(26% .042 195)",
        },
    },
}
