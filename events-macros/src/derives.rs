//! What a payload derives.

use proc_macro2::TokenStream;
use quote::quote;

/// The derives of a payload, through the core, so that users need neither serde nor schemars.
pub(crate) fn serde(private: &TokenStream) -> TokenStream {
    of(private, &quote!(#private::serde::Deserialize,))
}

/// The same but for how it is read.
pub(crate) fn written(private: &TokenStream) -> TokenStream {
    of(private, &TokenStream::new())
}

fn of(private: &TokenStream, further: &TokenStream) -> TokenStream {
    let serde = format!("{private}::serde").replace(' ', "");
    let schemars = format!("{private}::schemars").replace(' ', "");
    quote! {
        #[derive(#private::serde::Serialize, #further #private::schemars::JsonSchema)]
        #[serde(crate = #serde)]
        #[schemars(crate = #schemars)]
    }
}
