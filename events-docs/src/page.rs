//! The page: picture, data, style and script in one file.

use uuid::Uuid;

use crate::colours::colours;
use crate::escape::{markup, script};
use crate::picture::Picture;

const PAGE: &str = include_str!("page/page.html");
const STYLES: [&str; 2] = [
    include_str!("page/picture.css"),
    include_str!("page/page.css"),
];
/// In the order in which they build on each other.
const SCRIPTS: [&str; 7] = [
    include_str!("page/elements.js"),
    include_str!("page/view.js"),
    include_str!("page/schema.js"),
    include_str!("page/details.js"),
    include_str!("page/selection.js"),
    include_str!("page/search.js"),
    include_str!("page/start.js"),
];

impl Picture {
    /// One file with everything in it: the picture to zoom and pan, a search, and what is known of each event and handler.
    ///
    /// It runs no script but its own and asks no network for anything: its content security policy forbids both. The
    /// same company makes the same bytes, so that the page can be kept in a repository.
    pub fn to_html(&self) -> String {
        let data = script(&self.data);
        // Scripts without it do not run. It hangs on the data, so nothing in the data can name it.
        let nonce = Uuid::new_v5(&Uuid::NAMESPACE_URL, data.as_bytes())
            .simple()
            .to_string();
        let title = markup(&self.title);
        let svg = self.to_inline_svg();
        let (style, code) = (colours() + &STYLES.concat(), SCRIPTS.concat());
        let mut page =
            String::with_capacity(PAGE.len() + style.len() + code.len() + data.len() + svg.len());
        // What is put in may hold any text: it is not searched again.
        let mut rest = PAGE;
        while let Some((before, after)) = rest.split_once("{{") {
            page.push_str(before);
            let (name, after) = after.split_once("}}").unwrap_or((after, ""));
            page.push_str(match name {
                "title" => &title,
                "nonce" => &nonce,
                "style" => &style,
                "svg" => &svg,
                "data" => &data,
                "script" => &code,
                _ => "",
            });
            rest = after;
        }
        page.push_str(rest);
        page
    }
}
