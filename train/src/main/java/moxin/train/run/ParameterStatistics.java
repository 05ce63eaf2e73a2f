package moxin.train.run;

/// The numbers of one parameter in one step; those that are not finite are as the JVM has them.
///
/// @param gradNorm the Euclidean norm of its gradient, before clipping
/// @param weightNorm of the weight before the update
/// @param updateRatio the norm of the update relative to `weightNorm`; 0 where that is 0
record ParameterStatistics(double gradNorm, double weightNorm, double updateRatio) {}
