package moxin.data;

import java.io.Serializable;

/// What reading yields: documents, and counts of what was read and dropped.
public sealed interface StageItem extends Serializable permits StagedDocument, Tally {}
