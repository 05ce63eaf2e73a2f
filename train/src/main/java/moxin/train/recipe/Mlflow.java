package moxin.train.recipe;

import com.fasterxml.jackson.annotation.JsonInclude;
import java.net.URI;
import org.jspecify.annotations.Nullable;

/// An MLflow tracking server that is told of the run.
///
/// @param uri of the server, `http` or `https`
/// @param experiment to which the run belongs, made if it is absent; the recipe's name unless given
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Mlflow(String uri, @Nullable String experiment) {

  public Mlflow(@Nullable String uri, @Nullable String experiment) {
    if (uri == null) {
      throw new IllegalArgumentException("mlflow needs the uri of a tracking server");
    }
    String scheme = URI.create(uri).getScheme();
    if (URI.create(uri).getHost() == null
        || !("http".equalsIgnoreCase(scheme) || "https".equalsIgnoreCase(scheme))) {
      throw new IllegalArgumentException(
          "mlflow's uri must be that of a server, as http://localhost:5000, found " + uri);
    }
    this.uri = uri;
    this.experiment = experiment;
  }
}
