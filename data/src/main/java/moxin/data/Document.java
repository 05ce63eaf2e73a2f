package moxin.data;

/// A document of a prepared corpus.
///
/// @param id unique in the corpus and stable between runs
/// @param licence an SPDX expression
/// @param hash SHA-256 of the text in UTF-8
public record Document(String id, String source, String text, String licence, String hash) {}
