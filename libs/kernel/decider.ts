import type { Fact } from './event.js';

/**
 * A rule of the domain: what a command leads to, given all that happened before. Pure: whatever it
 * needs comes in with the command, and what is not allowed is thrown as a `Refusal`.
 */
export interface Decider<Command, State, Event extends Fact = Fact> {
  readonly initial: State;
  decide(command: Command, state: State): readonly Event[];
  evolve(state: State, event: Event): State;
}
