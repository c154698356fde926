import { Failure } from '../failure.js';

/** Where no answer came, nobody here knows whether the server took what it was sent; and whoever repeats it should. */
export async function submitting<Answer>(asking: Promise<Answer>): Promise<Answer> {
  return asking.catch((error: unknown) => {
    if (!(error instanceof Failure) || !mayHaveArrived(error)) throw error;
    throw new Failure(
      error.code,
      error.message,
      'It may have been taken all the same: see "tri-agent-ctl tasks list" before you repeat it. ' +
        'With idempotency keys, repeating it is safe.',
      error.exit,
    );
  });
}

function mayHaveArrived({ code, message }: Failure): boolean {
  const broke = /\((ECONNRESET|EPIPE|UND_ERR_SOCKET)\)/.test(message);
  return code === 'server_silent' || (code === 'server_unreachable' && broke);
}
