-- Parcels may go to a pickup point: address.kind learns a third value.
alter table address
    drop constraint if exists address_kind_known,
    add constraint address_kind_known check (kind in ('home', 'work', 'pickup'));
