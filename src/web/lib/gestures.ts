/**
 * An attachment that tells of every gesture towards older lines, in the frame of the gesture: the wheel or a finger going up, a press on
 * the scrollbar, a selection. Waiting for the scroll event would be too late: a new line could have moved the place by then.
 */
export function onGoingBack(told: () => void): (box: HTMLElement) => () => void {
  return (box) => {
    let touchY = 0;
    const onWheel = ({ deltaY }: WheelEvent): void => {
      if (deltaY < 0) told();
    };
    const onTouch = ({ type, touches }: TouchEvent): void => {
      const y = touches[0]?.clientY ?? 0;
      if (type === 'touchmove' && y > touchY) told();
      touchY = y;
    };
    const onPress = ({ target, offsetX }: PointerEvent): void => {
      // Beside the content lies the scrollbar.
      if (target === box && offsetX >= box.clientWidth) told();
    };
    const onSelection = (): void => {
      const selection = document.getSelection();
      if (selection && !selection.isCollapsed && box.contains(selection.anchorNode)) told();
    };
    box.addEventListener('wheel', onWheel, { passive: true });
    box.addEventListener('touchstart', onTouch, { passive: true });
    box.addEventListener('touchmove', onTouch, { passive: true });
    box.addEventListener('pointerdown', onPress);
    document.addEventListener('selectionchange', onSelection);
    return () => {
      box.removeEventListener('wheel', onWheel);
      box.removeEventListener('touchstart', onTouch);
      box.removeEventListener('touchmove', onTouch);
      box.removeEventListener('pointerdown', onPress);
      document.removeEventListener('selectionchange', onSelection);
    };
  };
}
