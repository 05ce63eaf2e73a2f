/// Shows that runs resume to the bit: real processes are killed and set going again, and what they
/// end with is compared with an undisturbed run, tensor by tensor.
///
/// Begin with [moxin.train.verify.ResumeVerification]. It knows runs by the files of their
/// directories alone.
@NullMarked
package moxin.train.verify;

import org.jspecify.annotations.NullMarked;
