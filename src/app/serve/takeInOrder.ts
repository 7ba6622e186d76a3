import { Observable, type OperatorFunction } from 'rxjs';

/** What is made of one value: at once, or later. */
export type Taking<In, Out> = (value: In) => readonly Out[] | Promise<readonly Out[]>;

type Slot<Out> = { made?: readonly Out[] };

/**
 * Emits what `take` makes of each value, one after another in the order of the values. It is called for every value at once:
 * what is made later is being made side by side, and what follows it waits. So what waits is bounded by the source alone: `onTaken`,
 * called when what was made of a value is being emitted, lets it count. On complete, what is being made comes first; what `take`
 * throws, and a promise that rejects, is an error at once.
 */
export function takeInOrder<In, Out>(take: Taking<In, Out>, onTaken: () => void): OperatorFunction<In, Out> {
  return (source$) =>
    new Observable((subscriber) => {
      const slots: Slot<Out>[] = [];
      let isOver = false;
      let isEmitting = false;
      const emit = (): void => {
        if (isEmitting) return;
        isEmitting = true;
        for (let made = slots[0]?.made; made && !subscriber.closed; made = slots[0]?.made) {
          slots.shift();
          onTaken();
          for (const value of made) subscriber.next(value);
        }
        isEmitting = false;
        if (isOver && slots.length === 0) subscriber.complete();
      };
      /** Nothing waits, so what is made at once is emitted at once. */
      const pass = (made: readonly Out[]): void => {
        isEmitting = true;
        onTaken();
        for (const value of made) subscriber.next(value);
        isEmitting = false;
        emit();
      };
      const enter = (value: In): void => {
        const made = take(value);
        if (slots.length === 0 && !isEmitting && !(made instanceof Promise)) return pass(made);
        const slot: Slot<Out> = made instanceof Promise ? {} : { made };
        slots.push(slot);
        if (made instanceof Promise)
          made.then(
            (values) => {
              slot.made = values;
              emit();
            },
            (error: unknown) => subscriber.error(error),
          );
        else emit();
      };
      return source$.subscribe({
        next: (value) => {
          try {
            enter(value);
          } catch (error) {
            subscriber.error(error);
          }
        },
        error: (error: unknown) => subscriber.error(error),
        complete: () => {
          isOver = true;
          emit();
        },
      });
    });
}
