package moxin.infer.assembly;

/// How tokens are cut into groups whose inputs lie interleaved, so that a kernel reaches all of
/// them from one address: the first groups have `size` tokens, the others one fewer.
///
/// @param tokens how many tokens in all, at least 1
/// @param groups how many groups
record TokenGroups(int tokens, int groups) {

  /// As few groups of at most `limit` tokens as possible.
  static TokenGroups of(int tokens, int limit) {
    return new TokenGroups(tokens, (tokens + limit - 1) / limit);
  }

  /// Tokens of the larger groups.
  int size() {
    return (tokens + groups - 1) / groups;
  }

  /// How many groups have [#size] tokens; they come first.
  int larger() {
    return tokens - groups * (size() - 1);
  }

  int size(int group) {
    return group < larger() ? size() : size() - 1;
  }

  /// The first token of a group.
  int start(int group) {
    return group * size() - Math.max(0, group - larger());
  }

  /// The group that holds a token.
  int groupOf(int token) {
    int border = larger() * size();
    return token < border ? token / size() : larger() + (token - border) / (size() - 1);
  }
}
