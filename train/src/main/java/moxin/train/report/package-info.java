/// The report of a run: `report.html`, one file that shows in any browser what the files of a run
/// directory say, with charts drawn as SVG, without scripts and without a network.
///
/// Begin with [moxin.train.report.RunReport]. What is read is in `RunFiles`, what is drawn in
/// `LinePlot`; each section of the page is a class. This package reads the files that other modules
/// wrote and knows none of their classes.
@NullMarked
package moxin.train.report;

import org.jspecify.annotations.NullMarked;
