"""Which file belongs to which language, by suffix or by whole name, and which files describe a project."""

from __future__ import annotations

from types import MappingProxyType

LANGUAGES = MappingProxyType(
    {
        ".py": "Python", ".pyi": "Python", ".ipynb": "Jupyter notebook",
        ".js": "JavaScript", ".mjs": "JavaScript", ".cjs": "JavaScript", ".jsx": "JavaScript",
        ".ts": "TypeScript", ".tsx": "TypeScript", ".mts": "TypeScript",
        ".vue": "Vue", ".svelte": "Svelte", ".html": "HTML", ".htm": "HTML",
        ".css": "CSS", ".scss": "SCSS", ".sass": "SCSS", ".less": "Less",
        ".go": "Go", ".rs": "Rust", ".java": "Java", ".kt": "Kotlin", ".kts": "Kotlin", ".scala": "Scala",
        ".groovy": "Groovy", ".gradle": "Groovy", ".clj": "Clojure", ".cs": "C#", ".fs": "F#",
        ".c": "C", ".h": "C", ".cc": "C++", ".cpp": "C++", ".cxx": "C++", ".hpp": "C++", ".hh": "C++",
        ".m": "Objective-C", ".mm": "Objective-C", ".swift": "Swift", ".dart": "Dart", ".zig": "Zig",
        ".rb": "Ruby", ".php": "PHP", ".pl": "Perl", ".pm": "Perl", ".lua": "Lua", ".r": "R", ".jl": "Julia",
        ".ex": "Elixir", ".exs": "Elixir", ".erl": "Erlang", ".hs": "Haskell", ".ml": "OCaml", ".elm": "Elm",
        ".sh": "Shell", ".bash": "Shell", ".zsh": "Shell", ".fish": "Shell", ".ps1": "PowerShell",
        ".sql": "SQL", ".graphql": "GraphQL", ".proto": "Protocol Buffers",
        ".tf": "Terraform", ".nix": "Nix", ".cmake": "CMake", "cmakelists.txt": "CMake",
        "dockerfile": "Dockerfile", "makefile": "Makefile", ".mk": "Makefile",
        ".json": "JSON", ".yaml": "YAML", ".yml": "YAML", ".toml": "TOML", ".xml": "XML", ".ini": "INI",
        ".md": "Markdown", ".markdown": "Markdown", ".rst": "reStructuredText", ".txt": "Text",
    }
)  # fmt: skip

# Counted as languages, but not as lines of code.
PROSE = frozenset({"Markdown", "reStructuredText", "Text", "JSON", "YAML", "TOML", "XML", "INI"})

MANIFESTS = MappingProxyType(
    {
        "pyproject.toml": "Python", "setup.py": "Python", "requirements.txt": "Python", "Pipfile": "Python",
        "package.json": "Node.js", "deno.json": "Deno", "go.mod": "Go", "Cargo.toml": "Rust",
        "pom.xml": "Maven", "build.gradle": "Gradle", "build.gradle.kts": "Gradle", "Gemfile": "Ruby",
        "composer.json": "PHP", "mix.exs": "Elixir", "pubspec.yaml": "Dart", "Package.swift": "Swift",
        "CMakeLists.txt": "CMake", "Makefile": "Make", "Dockerfile": "container image",
        "docker-compose.yml": "Compose", "compose.yaml": "Compose", "Chart.yaml": "Helm chart",
    }
)  # fmt: skip
