/** What one check found; `fix` says what to do where it is not ok. */
export interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly fix?: string;
}

export function ok(name: string, detail: string): Finding {
  return { name, state: 'ok', detail };
}

export function warn(name: string, detail: string, fix: string): Finding {
  return { name, state: 'warn', detail, fix };
}

export function fail(name: string, detail: string, fix: string): Finding {
  return { name, state: 'fail', detail, fix };
}
