/// Processes that work on one job together: which one this is, and how they exchange memory.
///
/// Begin with [moxin.collective.Communicator], the seam: it moves bytes and adds nothing, so that a
/// sum over processes is always ours, in the order of the ranks, and has the same bits however the
/// transport schedules it. [moxin.collective.RankOrderSum] is that sum. Transport is Open MPI's in
/// [moxin.collective.MpiCommunicator], and plain TCP in [moxin.collective.TcpCommunicator] where
/// there is none. This package knows no tensors and no models.
@NullMarked
package moxin.collective;

import org.jspecify.annotations.NullMarked;
