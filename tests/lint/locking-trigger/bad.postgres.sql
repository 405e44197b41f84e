alter table customer disable trigger audit;
