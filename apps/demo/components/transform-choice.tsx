// What is done to the text, and where.

"use client";

import { type ReactElement, useId } from "react";
import type { OperationName } from "../lib/transforms.ts";
import type { Place } from "./transform-flow.ts";

const OPERATIONS: readonly { readonly name: OperationName; readonly says: string }[] = [
  { name: "upper", says: "Upper case" },
  { name: "lower", says: "Lower case" },
  { name: "number", says: "Number the lines" },
  { name: "rows", says: "Lines as NDJSON" },
  { name: "words", says: "Count the words" },
];

const PLACES: readonly { readonly place: Place; readonly says: string }[] = [
  { place: "server", says: "On the server" },
  { place: "browser", says: "In this browser" },
];

interface ChoiceProps {
  readonly name: OperationName;
  readonly place: Place;
  readonly onName: (name: OperationName) => void;
  readonly onPlace: (place: Place) => void;
}

export function TransformChoice({ name, place, onName, onPlace }: ChoiceProps): ReactElement {
  const id = useId();
  return (
    <div className="transform-choice">
      <label htmlFor={`${id}-op`}>
        What to do
        <select
          id={`${id}-op`}
          data-testid="op"
          value={name}
          onChange={({ target }) => onName(target.value as OperationName)}
        >
          {OPERATIONS.map((operation) => (
            <option key={operation.name} value={operation.name}>
              {operation.says}
            </option>
          ))}
        </select>
      </label>
      <fieldset>
        <legend>Where</legend>
        {PLACES.map((each) => (
          <label key={each.place}>
            <input
              type="radio"
              name={`${id}-place`}
              data-testid={`place-${each.place}`}
              checked={place === each.place}
              onChange={() => onPlace(each.place)}
            />
            {each.says}
          </label>
        ))}
      </fieldset>
    </div>
  );
}
