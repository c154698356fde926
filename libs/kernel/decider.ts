/**
 * A rule of the domain: which events a command leads to, given all that happened before. Pure: time
 * and ids come in with the command, and what is not allowed is thrown as a `Refusal`.
 */
export interface Decider<Command, State, Event> {
  readonly initial: State;
  decide(command: Command, state: State): readonly Event[];
  evolve(state: State, event: Event): State;
}
