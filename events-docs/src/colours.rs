//! Light and dark.

/// Declarations of custom properties.
const LIGHT: &str = include_str!("page/light.css");
const DARK: &str = include_str!("page/dark.css");

/// As the reader's system is, unless the root says otherwise by `data-theme`.
pub(crate) fn colours() -> String {
    format!(
        ":root {{\n  color-scheme: light dark;\n{LIGHT}}}\n\
         @media (prefers-color-scheme: dark) {{ :root:not([data-theme=\"light\"]) {{\n{DARK}}} }}\n\
         :root[data-theme=\"light\"] {{ color-scheme: light; }}\n\
         :root[data-theme=\"dark\"] {{\n  color-scheme: dark;\n{DARK}}}\n"
    )
}
