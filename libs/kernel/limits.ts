/** Every limit of the house, in one place, its unit in its name. */
export const limits = {
  // What comes in over OTLP.
  bodyBytesMax: 20 * 1024 * 1024,
  bodiesInFlightBytesMax: 128 * 1024 * 1024,
  recordsPerExportMax: 50_000,
  attributesPerExportMax: 1_000_000,
  nestingLevelsMax: 32,

  // What is kept of it.
  identifierCharactersMax: 200,
  freeTextCharactersMax: 500,
  unrecognisedSampleBytesMax: 4 * 1024,
  unrecognisedNamesMax: 1_000,
  contentBytesMax: 1024 * 1024,

  // The log.
  eventsPerAppendMax: 50_000,
  eventDataBytesMax: 256 * 1024,
  appendsWaitingMax: 2_000,
  appendWaitMs: 1_000,
  busyWaitMs: 50,
  followBatchEvents: 1_000,
  followPollMs: 50,

  // What goes out.
  pageItemsMax: 500,
  pageItemsDefault: 50,
  streamSubscribersMax: 100,
  apiBodyBytesMax: 1024 * 1024,

  // Health.
  projectionLagMs: 10_000,
  diskFreeBytesMin: 256 * 1024 * 1024,

  // The command line.
  answerBytesMax: 64 * 1024 * 1024,
  streamMessageCharactersMax: 2 * 1024 * 1024,
  requestWaitMs: 10_000,
  reconnectFirstWaitMs: 250,
  reconnectWaitMs: 5_000,
  redrawMinMs: 500,
  listItemsMax: 10_000,
  cellCharactersMax: 48,
  lineCharactersMax: 400,
  agentSettingsBytesMax: 1024 * 1024,
  clockOffMs: 5_000,
  testExportWaitMs: 2_000,
} as const;
