package moxin.torch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import moxin.job.Progress;
import moxin.model.DType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TensorTest {

  @BeforeAll
  static void load() throws IOException {
    LibTorch.load(Progress.silent());
  }

  @BeforeEach
  void prepare() {
    LibTorch.prepareThread(1);
  }

  @Test
  void scopeClosesWhatItWasNotToldToKeep() {
    long before = Tensor.liveCount();
    try (Scope _ = Scope.open()) {
      Tensor kept;
      try (Scope inner = Scope.open()) {
        Tensor dropped = Tensor.zeros(DType.F32, Device.CPU, 3);
        kept = inner.keep(Aten.add(dropped, dropped));
      }
      assertThat(kept.isOpen()).isTrue();
      assertThat(Tensor.liveCount()).isEqualTo(before + 1);
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void closingEarlyAndTwiceIsHarmless() {
    long before = Tensor.liveCount();
    try (Scope _ = Scope.open()) {
      Tensor tensor = Tensor.zeros(DType.BF16, Device.CPU, 7, 13);
      tensor.close();
      tensor.close();
      assertThatThrownBy(tensor::shape).isInstanceOf(IllegalStateException.class);
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void refusedCallTellsLibtorchsReason() {
    long before = Tensor.liveCount();
    try (Scope _ = Scope.open()) {
      Tensor wide = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, Device.CPU, 2, 3);
      assertThatThrownBy(() -> Aten.mm(wide, wide))
          .isInstanceOf(TorchException.class)
          .hasMessageContaining("aten::mm")
          .hasMessageContaining("2x3 and 2x3");
    }
    assertThat(Tensor.liveCount()).isEqualTo(before);
  }

  @Test
  void unknownOperatorIsOneClearError() {
    assertThatThrownBy(() -> new Operator("no_such_operator").callForNothing())
        .isInstanceOf(TorchException.class)
        .hasMessageContaining("aten::no_such_operator");
  }

  @Test
  void knowsItsShapeTypeAndDevice() {
    try (Scope _ = Scope.open()) {
      Tensor tensor = Tensor.zeros(DType.BF16, Device.CPU, 2, 3);
      assertThat(tensor.shape()).containsExactly(2, 3);
      assertThat(tensor.transposed().shape()).containsExactly(3, 2);
      assertThat(tensor.type()).isEqualTo(DType.BF16);
      assertThat(tensor.device()).isEqualTo(Device.CPU);
      assertThat(tensor.data().byteSize()).isEqualTo(12);
    }
  }

  @Test
  void viewsShareMemory() {
    try (Scope _ = Scope.open()) {
      Tensor whole = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, Device.CPU, 3, 2);
      Tensor last = whole.view(4, 1, 2);
      Aten.zero(last);
      assertThat(whole.toFloats()).containsExactly(1, 2, 3, 4, 0, 0);
    }
  }
}
