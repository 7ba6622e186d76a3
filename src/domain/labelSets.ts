/** The seven emotions of MELD in the order of its releases: the label set of the weights that ship. */
export const SEVEN_EMOTIONS = ['neutral', 'surprise', 'fear', 'sadness', 'joy', 'disgust', 'anger'] as const;
