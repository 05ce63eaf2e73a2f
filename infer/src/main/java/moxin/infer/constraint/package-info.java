/// Constrained decoding: which tokens may come next if the text is to match a regular expression or
/// a JSON schema.
///
/// Begin with [moxin.infer.constraint.Grammar], the language, then
/// [moxin.infer.constraint.TokenConstraint], the language seen through a vocabulary. A grammar is a
/// set of rules, each a deterministic automaton over bytes and calls of rules; a schema without
/// `$ref` and nested values needs no calls and is one automaton. What a state allows is found by
/// one walk over the trie of all tokens and kept; only tokens that leave a rule in their middle are
/// tried anew on each stack, as in XGrammar (Dong et al. 2024). Knows tokenizers, but no model.
@NullMarked
package moxin.infer.constraint;

import org.jspecify.annotations.NullMarked;
