import type { Registry } from 'prom-client';
import { Counter, Histogram } from 'prom-client';

const ACCEPT_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1];

/** What the intake tells Prometheus. Every label comes from a closed set, never from a sender. */
export class IntakeMetrics {
  readonly requests;
  readonly records;
  readonly noise;
  readonly unrecognised;
  readonly rejected;
  readonly acceptSeconds;

  constructor(registry: Registry) {
    const counter = <Label extends string>(
      name: string,
      help: string,
      labelNames: Label[],
    ): Counter<Label> => new Counter({ name, help, labelNames, registers: [registry] });

    this.requests = counter(
      'tri_agent_otlp_requests_total',
      'OTLP exports by signal, transport (http, grpc) and status code.',
      ['signal', 'transport', 'code'],
    );
    this.records = counter(
      'tri_agent_otlp_records_total',
      'Log records, data points and spans that were decoded.',
      ['signal'],
    );
    this.noise = counter(
      'tri_agent_noise_total',
      'Known chatter that becomes no event, by agent and name.',
      ['agent', 'name'],
    );
    this.unrecognised = counter(
      'tri_agent_unrecognised_total',
      'Records whose name no translator knows, by agent ("other" for unknown ones) and signal.',
      ['agent', 'signal'],
    );
    this.rejected = counter(
      'tri_agent_rejected_records_total',
      'Records that claim to be something known and are not.',
      [],
    );
    this.acceptSeconds = new Histogram({
      name: 'tri_agent_otlp_accept_seconds',
      help: 'From a decoded export to its events being durable.',
      buckets: ACCEPT_SECONDS,
      registers: [registry],
    });
  }
}
