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
  usageItemsMax: 5_000,
  cursorCharactersMax: 1_000,
  streamSubscribersMax: 100,
  streamHeartbeatMs: 15_000,
  streamStuckMs: 30_000,
  closingGraceMs: 1_000,
  apiBodyBytesMax: 1024 * 1024,

  // Who may come in.
  badTokensPerMinuteMax: 10,
  badTokenAddressesMax: 1_000,
  tokenCharactersMax: 512,

  // Health.
  healthCheckMs: 2_000,
  projectionLagMs: 10_000,
  diskFreeBytesMin: 256 * 1024 * 1024,
} as const;
