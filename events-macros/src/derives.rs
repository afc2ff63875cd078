//! What a payload derives.

use proc_macro2::TokenStream;
use quote::quote;

/// The derives of a payload, through the core, so that users need neither serde nor schemars.
pub(crate) fn serde(private: &TokenStream) -> TokenStream {
    let serde = format!("{private}::serde").replace(' ', "");
    let schemars = format!("{private}::schemars").replace(' ', "");
    quote! {
        #[derive(#private::serde::Serialize, #private::serde::Deserialize, #private::schemars::JsonSchema)]
        #[serde(crate = #serde)]
        #[schemars(crate = #schemars)]
    }
}
