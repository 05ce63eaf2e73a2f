package moxin.infer.constraint;

import com.fasterxml.jackson.databind.node.BooleanNode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/// What properties objects of a schema have.
final class ObjectShape {
  private final Map<String, SchemaNode> properties = new LinkedHashMap<>();
  private final Set<String> required;
  private final List<String> allNames = new ArrayList<>();
  private final Optional<SchemaNode> others;
  private final Map<String, SchemaNode> patterns = new LinkedHashMap<>();

  /// The index of the last required property, or −1.
  private final int lastRequired;

  ObjectShape(SchemaNode schema, SchemaNode anything) {
    boolean named = schema.has("properties");
    if (schema.has("patternProperties")) {
      SchemaNode children = schema.child("patternProperties");
      if (!children.json().isObject()) {
        throw children.bad("expected an object");
      }
      children
          .json()
          .fieldNames()
          .forEachRemaining(pattern -> patterns.put(pattern, children.child(pattern)));
    }
    SchemaNode rest =
        schema.has("additionalProperties") ? schema.child("additionalProperties") : anything;
    boolean closed = rest.json().equals(BooleanNode.FALSE);
    others =
        closed || ((named || !patterns.isEmpty()) && !schema.has("additionalProperties"))
            ? Optional.empty()
            : Optional.of(rest);
    required = new LinkedHashSet<>(schema.texts("required"));
    if (named) {
      SchemaNode children = schema.child("properties");
      if (!children.json().isObject()) {
        throw children.bad("expected an object");
      }
      children.json().fieldNames().forEachRemaining(allNames::add);
      for (String name : allNames) {
        SchemaNode child = children.child(name);
        requireOutsidePatterns(children, name);
        if (required.contains(name) || !child.json().equals(BooleanNode.FALSE)) {
          properties.put(name, child);
        }
      }
    }
    for (String name : required) {
      if (properties.putIfAbsent(name, rest) == null) {
        requireOutsidePatterns(schema, name);
        allNames.add(name);
      }
    }
    int last = -1;
    int i = 0;
    for (String name : properties.keySet()) {
      last = required.contains(name) ? i : last;
      i++;
    }
    lastRequired = last;
  }

  /// A name that a pattern also speaks of would need both schemas at once.
  private void requireOutsidePatterns(SchemaNode place, String name) {
    for (Map.Entry<String, SchemaNode> pattern : patterns.entrySet()) {
      if (JsonStrings.matches(pattern.getKey(), pattern.getValue().pointer(), name)) {
        throw place.bad(
            "the property '"
                + name
                + "' also matches 'patternProperties' "
                + pattern.getKey()
                + ", which is not supported");
      }
    }
  }

  /// What properties whose names match a pattern must be, by pattern.
  Map<String, SchemaNode> patterns() {
    return patterns;
  }

  /// The names of the properties that may come, in order.
  List<String> names() {
    return new ArrayList<>(properties.keySet());
  }

  /// What the property `name` must be.
  SchemaNode property(String name) {
    return Objects.requireNonNull(properties.get(name));
  }

  boolean isRequired(String name) {
    return required.contains(name);
  }

  /// Whether no required property comes behind the `i`-th.
  boolean mayEndAfter(int i) {
    return lastRequired <= i;
  }

  /// The names that no other property may have.
  List<String> allNames() {
    return allNames;
  }

  /// What other properties must be, if there may be any.
  Optional<SchemaNode> others() {
    return others;
  }
}
