/** Every limit of the house, in one place, its unit in its name. */
export const limits = {
  // What comes in over OTLP.
  bodyBytesMax: 20 * 1024 * 1024,
  bodiesInFlightBytesMax: 48 * 1024 * 1024,
  smallBodyBytesMax: 256 * 1024,
  recordsPerExportMax: 50_000,
  recordsPerSliceMax: 500,
  attributesPerExportMax: 500_000,
  nestingLevelsMax: 32,
  jsonTokensPerExportMax: 3_000_000,
  otlpConnectionsMax: 1_000,
  otlpHeadersMs: 10_000,
  otlpRequestMs: 30_000,
  otlpKeepAliveMs: 75_000,
  otlpGrpcFirstReservationBytes: 64 * 1024,
  otlpRetryAfterSeconds: 1,

  // What is kept of it.
  identifierCharactersMax: 200,
  freeTextCharactersMax: 500,
  unrecognisedSampleBytesMax: 4 * 1024,
  unrecognisedNamesMax: 1_000,
  unrecognisedPerExportMax: 20,
  unrecognisedTextCharactersMax: 64,
  unrecognisedMembersMax: 100,
  contentBytesMax: 1024 * 1024,

  // What comes in from transcripts.
  importFactsMax: 500,
  tokensPerRequestMax: 1_000_000_000,
  transcriptReadBytes: 1024 * 1024,
  transcriptComparedBytes: 256,
  transcriptLineBytesMax: 32 * 1024 * 1024,
  transcriptRequestsHeldMax: 256,
  transcriptRequestsRememberedMax: 250_000,
  transcriptFilesMax: 100_000,
  transcriptFolderLevelsMax: 16,
  transcriptFaultsKeptMax: 1_000,
  transcriptFaultsShownMax: 20,
  transcriptPollMs: 2_000,
  transcriptSettleMs: 100,
  importBodyBytesMax: 768 * 1024,
  importSendsInFlightMax: 2,
  importTriesMax: 5,
  importRetryMs: 500,

  // Prices.
  pricesPerPublicationMax: 500,
  noticesRememberedMax: 1_000,

  // The log.
  eventsPerAppendMax: 50_000,
  eventDataBytesMax: 256 * 1024,
  streamNameCharactersMax: 1_000,
  eventsPerCommitMax: 5_000,
  appendsPerCommitSoughtMax: 64,
  appendsWaitingMax: 2_000,
  appendWaitMs: 1_000,
  busyWaitMs: 50,
  busyRetryMs: 5,
  openWaitMs: 5_000,
  walCheckpointPages: 2_000,
  walBytesKeptMax: 64 * 1024 * 1024,
  followBatchEvents: 1_000,
  followPollMs: 50,
  projectorRetryMs: 500,

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
