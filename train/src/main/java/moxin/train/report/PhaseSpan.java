package moxin.train.report;

import java.util.ArrayList;
import java.util.List;
import moxin.train.run.StepMetrics;

/// The steps of a phase, from `first` to `last`, as far as the run has come.
record PhaseSpan(String name, long first, long last, List<StepMetrics> steps) {

  static List<PhaseSpan> of(List<StepMetrics> steps) {
    List<PhaseSpan> spans = new ArrayList<>();
    int begin = 0;
    for (int i = 1; i <= steps.size(); i++) {
      if (i == steps.size() || !steps.get(i).phase().equals(steps.get(begin).phase())) {
        spans.add(
            new PhaseSpan(
                steps.get(begin).phase(),
                steps.get(begin).step(),
                steps.get(i - 1).step(),
                steps.subList(begin, i)));
        begin = i;
      }
    }
    return spans;
  }
}
