/** Of a crowd, a few in each turn of the event loop, so that everybody else has a turn in between. First come, first served. */
export class Arrivals<T> {
  readonly #perTurn: number;
  readonly #receive: (arrival: T) => void;
  readonly #waiting: T[] = [];
  /** Received in the present turn. */
  #received = 0;

  /** @param receive called at once for the first `perTurn` of a turn, for others in one of the next turns */
  constructor(perTurn: number, receive: (arrival: T) => void) {
    this.#perTurn = perTurn;
    this.#receive = receive;
  }

  add(arrival: T): void {
    if (this.#received < this.#perTurn) this.#take(arrival);
    else this.#waiting.push(arrival);
  }

  #take(arrival: T): void {
    if (this.#received++ === 0) setImmediate(() => this.#nextTurn());
    this.#receive(arrival);
  }

  #nextTurn(): void {
    this.#received = 0;
    for (const arrival of this.#waiting.splice(0, this.#perTurn)) this.#take(arrival);
  }
}
