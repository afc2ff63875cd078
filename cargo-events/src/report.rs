//! Findings for machines.

use events_core::company::{Company, Finding, Severity};
use events_core::escape;
use serde_json::{Value, json};

/// Says what is wrong, on standard error.
pub(crate) fn complain(text: &str) {
    eprintln!("{}", escape::text(text));
}

/// Graph and findings.
pub(crate) fn json(company: &Company, findings: &[Finding]) -> String {
    format!(
        "{:#}\n",
        json!({ "graph": company.graph(), "findings": findings })
    )
}

/// SARIF 2.1.0.
pub(crate) fn sarif(findings: &[Finding]) -> String {
    let mut codes: Vec<_> = findings.iter().map(|finding| finding.fault.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let rules: Vec<_> = codes.iter().map(|code| json!({ "id": code })).collect();
    let results: Vec<_> = findings.iter().map(result).collect();
    format!(
        "{:#}\n",
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "cargo-events",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                } },
                "results": results,
            }],
        })
    )
}

fn result(finding: &Finding) -> Value {
    let text = format!(
        "{}. Remedy: {}",
        finding.fault.message, finding.fault.remedy
    );
    let mut result = json!({
        "ruleId": finding.fault.code,
        "level": finding.severity,
        "message": { "text": text },
    });
    if let Some((file, line)) = place(finding) {
        result["locations"] = json!([{ "physicalLocation": {
            "artifactLocation": { "uri": file },
            "region": { "startLine": line },
        } }]);
    }
    result
}

/// Workflow commands of GitHub Actions.
pub(crate) fn github(findings: &[Finding]) -> String {
    let line = |finding: &Finding| {
        let level = match finding.severity {
            Severity::Note => "notice".to_owned(),
            other => other.to_string(),
        };
        let place = place(finding).map_or_else(String::new, |(file, line)| {
            format!("file={},line={line},", property(file))
        });
        let text = format!(
            "{}\nremedy: {}",
            finding.fault.message, finding.fault.remedy
        );
        format!(
            "::{level} {place}title={}::{}\n",
            finding.fault.code,
            data(&text)
        )
    };
    findings.iter().map(line).collect()
}

fn place(finding: &Finding) -> Option<(&str, u32)> {
    let (file, line) = finding.location.as_deref()?.rsplit_once(':')?;
    Some((file, line.parse().ok()?))
}

fn data(text: &str) -> String {
    // Percent signs and the line breaks that are meant remain.
    let lines: Vec<_> = text.split('\n').map(escape::line).collect();
    lines
        .join("\n")
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
