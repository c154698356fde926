import type {
  Metadata,
  sendUnaryData,
  ServerInterceptor,
  ServerUnaryCall,
  ServiceDefinition,
} from '@grpc/grpc-js';
import { Server, ServerCredentials, ServerInterceptingCall, status } from '@grpc/grpc-js';
import { limits } from '#kernel/limits.js';
import { exportResponse } from './otlp.answers.js';
import { decodeExport } from './otlp.decode.js';
import type { OtlpParts } from './otlp.module.js';
import type { Signal } from './otlp.records.js';
import { notStored, overloaded, refusalOf } from './otlp.refusal.js';

const CONCURRENT_CALLS_PER_CONNECTION_MAX = 100;

const SERVICES: Readonly<Record<Signal, string>> = {
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
};

export interface OtlpGrpcOptions extends OtlpParts {
  /** Whether a call may go on, by its metadata, before its message is read. Unset: all may. */
  readonly authorize?: (metadata: Metadata) => boolean;
}

export interface RunningGrpc {
  readonly port: number;
  /** Takes no new calls, lets those under way end, then closes. */
  stop(): Promise<void>;
}

type Call = ServerUnaryCall<Buffer, Buffer>;

/** OTLP/gRPC: the same decoder, intake and budget as over HTTP, with gRPC's codes. */
export async function startOtlpGrpc(
  options: OtlpGrpcOptions,
  host: string,
  port: number,
): Promise<RunningGrpc> {
  const server = new Server({
    'grpc.max_receive_message_length': limits.bodyBytesMax,
    'grpc.max_concurrent_streams': CONCURRENT_CALLS_PER_CONNECTION_MAX,
    interceptors: [admit(options)],
  });
  for (const signal of Object.keys(SERVICES) as Signal[]) {
    server.addService(serviceOf(signal), {
      Export: (call: Call, answer: sendUnaryData<Buffer>) => {
        void exportCall(signal, options, call.request, answer);
      },
    });
  }
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error, boundPort) => {
      if (error !== null) {
        reject(error);
        return;
      }
      resolve({ port: boundPort, stop: () => shutDown(server) });
    });
  });
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.tryShutdown((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}

/** Messages stay bytes here: the decoder reads them. */
function serviceOf(signal: Signal): ServiceDefinition {
  const bytes = (message: Buffer): Buffer => message;
  return {
    Export: {
      path: `/${SERVICES[signal]}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    },
  };
}

async function exportCall(
  signal: Signal,
  { intake, admission, onBug }: OtlpParts,
  message: Buffer,
  answer: sendUnaryData<Buffer>,
): Promise<void> {
  try {
    const accepted = await admission.inTurn(message.length, () =>
      intake.accept(decodeExport(signal, 'protobuf', message)),
    );
    answer(null, exportResponse(signal, 'protobuf', accepted));
  } catch (error) {
    let refusal = refusalOf(error);
    if (refusal === undefined) {
      onBug(error);
      refusal = notStored();
    }
    answer({ code: codeOf(refusal.httpCode), details: refusal.message });
  }
}

/** Of these codes exporters repeat a call on UNAVAILABLE alone. */
function codeOf(httpCode: number): status {
  if (httpCode === 503) return status.UNAVAILABLE;
  return httpCode === 413 ? status.RESOURCE_EXHAUSTED : status.INVALID_ARGUMENT;
}

/**
 * Stands before every call: who may not go on, or finds no room in the budget, is told so before the
 * message is read. gRPC does not say how long a message will be, so a call starts with a small
 * reservation that grows to the message once it is there.
 */
function admit({ admission, intake, authorize }: OtlpGrpcOptions): ServerInterceptor {
  return (method, call) => {
    const signal = signalOfPath(method.path);
    let counted = false;
    const count = (code: status): void => {
      if (!counted) intake.metrics.requests.inc({ signal, transport: 'grpc', code: status[code] });
      counted = true;
    };
    const refuse = (code: status, details: string): void => {
      count(code);
      call.sendStatus({ code, details });
    };
    const reservation = admission.reserve(limits.otlpGrpcFirstReservationBytes);
    const timer = setTimeout(() => {
      refuse(status.DEADLINE_EXCEEDED, 'The call took too long.');
    }, limits.otlpRequestMs);
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMetadata: (metadata, goOn) => {
            if (authorize?.(metadata) === false) {
              refuse(status.UNAUTHENTICATED, 'The call needs a valid token.');
            } else if (reservation === undefined) {
              refuse(status.UNAVAILABLE, overloaded().message);
            } else goOn(metadata);
          },
          onReceiveMessage: (message: Buffer, goOn) => {
            if (reservation?.growTo(message.length) === true) goOn(message);
            else refuse(status.UNAVAILABLE, overloaded().message);
          },
          // Comes at the end of every call, however it ended.
          onCancel: () => {
            clearTimeout(timer);
            reservation?.release();
          },
        });
      },
      sendStatus: (result, next) => {
        count(result.code);
        next(result);
      },
    });
  };
}

function signalOfPath(path: string): Signal | 'none' {
  const signals = Object.keys(SERVICES) as Signal[];
  return signals.find((signal) => path === `/${SERVICES[signal]}/Export`) ?? 'none';
}
