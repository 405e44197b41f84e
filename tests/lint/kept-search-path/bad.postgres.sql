set search_path = shop;
