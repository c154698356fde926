import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import type { LoggerProviderOptions, LogRecordExporter } from '@opentelemetry/sdk-logs';
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs';
import type { TestReceiver } from './otlp.receiver.contract.js';
import { startReceiver, until } from './otlp.receiver.contract.js';

/** The exporters that the agents themselves carry. */
const exporters: [string, (url: string) => LogRecordExporter][] = [
  ['protobuf', (url) => new ProtobufExporter({ url })],
  ['JSON', (url) => new JsonExporter({ url })],
  ['gzip', (url) => new ProtobufExporter({ url, compression: 'gzip' as never })],
];

const resource: NonNullable<LoggerProviderOptions['resource']> = {
  attributes: { 'service.name': 'claude-code' },
  merge: () => resource,
  getRawAttributes: () => [['service.name', 'claude-code']],
};

let receiver: TestReceiver;
beforeEach(async () => {
  receiver = await startReceiver();
});
afterEach(() => receiver.close());

function providerTo(make: (url: string) => LogRecordExporter): LoggerProvider {
  const exporter = make(`${receiver.url}/v1/logs`);
  return new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter })] });
}

function emitPrompts(provider: LoggerProvider, count: number): void {
  const logger = provider.getLogger('test');
  for (let index = 0; index < count; index += 1) {
    const attributes = { 'session.id': 's', 'prompt.id': `p${index}`, length: index };
    logger.emit({ eventName: 'prompt', body: 'a prompt', attributes });
  }
}

describe.each(exporters)('The real exporter with %s', (_name, make) => {
  test('delivers what it was given', async () => {
    const provider = providerTo(make);
    emitPrompts(provider, 100);
    await provider.forceFlush();
    await provider.shutdown();
    const lengths = receiver.log.events.map(
      ({ data }) => (data as { promptCharacters: number }).promptCharacters,
    );
    expect(lengths).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(receiver.bugs).toEqual([]);
  });
});

test('The real exporter delivers after the receiver answered 503', async () => {
  receiver.log.unavailable = true;
  const provider = providerTo((url) => new ProtobufExporter({ url }));
  emitPrompts(provider, 10);
  const flushed = provider.forceFlush();
  await until(() => receiver.log.ticks.length === 1);
  receiver.log.unavailable = false;
  await flushed;
  await provider.shutdown();
  expect(receiver.log.ticks.length).toBeGreaterThan(1);
  expect(receiver.log.events).toHaveLength(10);
});
