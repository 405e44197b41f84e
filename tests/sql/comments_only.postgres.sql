-- Nothing; to; do.
/* Here; /* neither; */ */
;
